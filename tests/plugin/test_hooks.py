"""The examples in the hooks' documentation are complete: each is run as it stands."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_edgebudget import hookspec
from tests.plugin.conftest import BUDGET, Runner


def example(hook: str) -> str:
    """The code of a hook's example."""
    doc = inspect.getdoc(getattr(hookspec, hook)) or ""
    return textwrap.dedent(doc.partition("::\n")[2])


def test_a_metric_of_an_extension_is_a_limit(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    (project / "conftest.py").write_text(example("pytest_edgebudget_metrics"))
    write(BUDGET + "blocks = 6\n")
    result = gate("--edge-budget", "pi4.toml")

    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["  blocks *19 * 6 *<= 6 *kept"])


def test_a_pass_of_an_extension_is_a_recipe(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    (project / "shrink.py").write_text(example("pytest_edgebudget_passes"))
    (project / "conftest.py").write_text("from shrink import pytest_edgebudget_passes\n")
    write(BUDGET.replace('["none", "float16", "int8"]', '["copy+int8"]'))
    result = gate("--edge-budget", "pi4.toml")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["digits: copy+int8"])


def test_a_report_of_an_extension_is_written(gate: Runner, project: Path) -> None:
    (project / "conftest.py").write_text(example("pytest_edgebudget_reports"))
    gate("--edge-budget", "pi4.toml", "--edge-budget-report=count:count.txt")

    assert (project / "count.txt").read_text() == "3 limits\n"


@pytest.mark.parametrize(
    ("hook", "line"),
    [
        ("pytest_edgebudget_measured", "int8 size 24304.0"),
        ("pytest_edgebudget_verdict", "digits size"),
    ],
)
def test_observers_are_told(
    gate: Runner, write: Callable[[str], None], project: Path, hook: str, line: str
) -> None:
    (project / "conftest.py").write_text(example(hook))
    write(BUDGET.replace('"32 KiB"', '"16 KiB"'))
    result = gate("--edge-budget", "pi4.toml", "-s")

    result.stdout.fnmatch_lines([f"*{line}"])


def test_an_executor_builds_and_measures(gate: Runner, project: Path) -> None:
    spy = "from pathlib import Path\nsubmit = POOL.submit\n"
    spy += "def noted(function, *arguments):\n    Path('asked.txt').write_text(function.__name__)\n"
    spy += "    return submit(function, *arguments)\n\nPOOL.submit = noted\n"
    code = example("pytest_edgebudget_executor").replace("def pytest", f"{spy}\ndef pytest")
    (project / "conftest.py").write_text(code)
    (project / "pyproject.toml").write_text("")  # nothing is in this cache
    gate("--edge-budget", "pi4.toml").assert_outcomes(passed=3)

    assert (project / "asked.txt").read_text() == "work"
