"""What pytest's users expect of any item: selection, reruns, JUnit, xdist."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugin.conftest import BUDGET, Runner

TIGHT = BUDGET.replace('"32 KiB"', '"16 KiB"')
ITEMS = [
    "pi4.toml::digits::size",
    "pi4.toml::digits::download_size",
    "pi4.toml::digits::accuracy",
]


@pytest.fixture
def own_test(project: Path) -> None:
    (project / "test_own.py").write_text("def test_own():\n    pass\n")


def test_collect_only_lists_an_item_a_limit_and_fits_nothing(gate: Runner) -> None:
    result = gate("--edge-budget", "pi4.toml", "--collect-only", "-q")

    result.stdout.fnmatch_lines(ITEMS)
    result.stdout.no_fnmatch_line("*edge budgets*")


@pytest.mark.parametrize("arguments", [(ITEMS[0],), ("--edge-budget", "pi4.toml", ITEMS[0])])
def test_an_id_can_be_pasted_back(gate: Runner, arguments: tuple[str, ...]) -> None:
    result = gate(*arguments, "-v")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"{ITEMS[0]} PASSED*"])


@pytest.mark.usefixtures("own_test")
def test_budgets_alone_do_not_run_the_projects_own_tests(gate: Runner) -> None:
    gate("--edge-budget", "pi4.toml").assert_outcomes(passed=3)


@pytest.mark.usefixtures("own_test")
@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_budgets_with_paths_are_added_to_them(gate: Runner, workers: tuple[str, ...]) -> None:
    gate("--edge-budget", "pi4.toml", "test_own.py", *workers).assert_outcomes(passed=4)


@pytest.mark.usefixtures("own_test")
@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_the_ini_key_makes_budgets_part_of_a_run_that_names_no_paths(
    gate: Runner, project: Path, workers: tuple[str, ...]
) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write('edge_budget = ["pi4.toml"]\n')

    gate(*workers).assert_outcomes(passed=4)
    gate("test_own.py", *workers).assert_outcomes(passed=1)


def test_a_folder_means_its_budget_files(gate: Runner, project: Path) -> None:
    (project / "budgets").mkdir()
    text = BUDGET.replace('"digits.tflite"', '"../digits.tflite"').replace(
        '"data.npz"', '"../data.npz"'
    )
    for name in ("a", "b"):
        (project / "budgets" / f"{name}.toml").write_text(text)

    gate("--edge-budget", "budgets").assert_outcomes(passed=6)


def test_two_workers_gate_the_same_limits(gate: Runner, write: Callable[[str], None]) -> None:
    write(TIGHT)
    result = gate("--edge-budget", "pi4.toml", "-n", "2", "-v")

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["*FAILED*pi4.toml::digits::size*", "digits: int8", "  size *23.7 KiB *broken"]
    )


def test_x_stops_at_the_first_broken_limit(gate: Runner, write: Callable[[str], None]) -> None:
    write(TIGHT)

    gate("--edge-budget", "pi4.toml", "-x").assert_outcomes(failed=1)


def test_lf_runs_the_broken_limit_again(gate: Runner, write: Callable[[str], None]) -> None:
    write(TIGHT)
    gate("--edge-budget", "pi4.toml")
    result = gate("--edge-budget", "pi4.toml", "--lf", "-v")

    result.assert_outcomes(failed=1, deselected=2)


def test_without_the_plugin_the_option_is_unknown(gate: Runner) -> None:
    result = gate("-p", "no:edgebudget", "--edge-budget", "pi4.toml")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unrecognized arguments: --edge-budget*"])


@pytest.mark.usefixtures("own_test")
def test_without_budgets_nothing_of_ours_is_printed(gate: Runner) -> None:
    result = gate("-v")

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*edge*budget: *")


def test_any_order_gives_the_same_verdicts(pytester: pytest.Pytester, gate: Runner) -> None:
    pytest.importorskip("pytest_randomly", reason="pytest-randomly shuffles the items")
    result = pytester.runpytest_subprocess("--edge-budget", "pi4.toml", "-p", "randomly")

    result.assert_outcomes(passed=3)


def test_junit_carries_the_verdict_as_properties(
    gate: Runner, project: Path, write: Callable[[str], None]
) -> None:
    write(TIGHT)
    gate("--edge-budget", "pi4.toml", "--junit-xml", "junit.xml", "-o", "junit_family=xunit1")
    suite = ElementTree.parse(project / "junit.xml").getroot()[0]
    case = next(case for case in suite if case.get("name") == "size")
    properties = {p.get("name"): p.get("value") for p in case.iter("property")}

    assert properties["verdict"] == "broken"
    assert properties["value"] == "24304.0"
    assert properties["evidence"] == "exact"
    assert properties["recipe"] == "int8"
    assert "digits: size is broken" in (case.find("failure").text or "")  # type: ignore[union-attr]


def test_an_undecided_limit_is_yellow_and_strict_makes_it_red(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    (project / "conftest.py").write_text(
        """
from pytest_edgebudget.facts import FileFacts
from pytest_edgebudget.metrics.base import STATIC, Metric, Value
from pytest_edgebudget.types import Better, Unit

def read(file, options):
    '''A size that wavers.'''
    return Value(file.size, low=file.size - 9, high=file.size + 9)

def pytest_edgebudget_metrics():
    return [Metric(name="wavering", unit=Unit.COUNT, better=Better.LOWER, needs=FileFacts,
                   read=read, accepts=STATIC, noisy=True, exact=True)]
"""
    )
    write(
        '[device]\nprofile = "host"\n[models.digits]\npath = "digits.tflite"\n'
        "[models.digits.budget]\nwavering = 76_865\n"
    )
    yellow = gate("--edge-budget", "pi4.toml", "-v")
    red = gate("--edge-budget", "pi4.toml", "--edge-budget-strict")

    yellow.stdout.fnmatch_lines(["pi4.toml::digits::wavering UNDECIDED*", "*1 undecided*"])
    assert yellow.ret == pytest.ExitCode.OK
    red.assert_outcomes(failed=1)
    red.stdout.fnmatch_lines(["digits: wavering is undecided*"])


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_link_to_a_budget_file_is_one_too_and_gated_once(
    gate: Runner, project: Path, workers: tuple[str, ...]
) -> None:
    (project / "link.toml").symlink_to("pi4.toml")

    gate("link.toml", *workers).assert_outcomes(passed=3)
    gate("--edge-budget", "link.toml", *workers).assert_outcomes(passed=3)
