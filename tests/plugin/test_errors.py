"""A wrong budget file is a usage error, a worker that died an ERROR: never confused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugin.conftest import BUDGET, Runner


def test_all_mistakes_of_a_budget_file_are_one_usage_error(
    gate: Runner, write: Callable[[str], None]
) -> None:
    write(
        BUDGET.replace("raspberry-pi-4", "rasberry-pi-4")
        .replace("download_size", "downlod_size")
        .replace('"int8"', '"int9"')
    )
    result = gate("--edge-budget", "pi4.toml")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: pi4.toml:3: device.profile: *did you mean raspberry-pi-4*",
            "ERROR: pi4.toml:7: models.digits.optimize*: *did you mean int*",
            "ERROR: pi4.toml:11: models.digits.budget.downlod_size: *did you mean download_size*",
        ]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--edge-budget", "pi5.toml"), "*pi5.toml: no such file or folder*"),
        (("--edge-budget", "empty"), "*empty: no [*].toml in this folder*"),
        (
            ("--edge-budget", "pi4.toml", "--edge-budget-report", "yaml:a"),
            "*no report format yaml*",
        ),
        (("--edge-budget", "pi4.toml", "--edge-budget-report", "json"), "*write FORMAT:PATH*"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_runs(
    gate: Runner, project: Path, arguments: tuple[str, ...], message: str
) -> None:
    (project / "empty").mkdir()
    result = gate(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_a_damaged_lock_is_a_usage_error(gate: Runner, project: Path) -> None:
    (project / "pi4.lock.json").write_text("{")
    result = gate("--edge-budget", "pi4.toml")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*pi4.lock.json: not a lock file*", "*--edge-budget-update*"])


def test_a_misspelt_hook_is_named(gate: Runner, project: Path) -> None:
    (project / "conftest.py").write_text("def pytest_edgebudget_metric():\n    return []\n")
    result = gate("--edge-budget", "pi4.toml")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*there is no hook pytest_edgebudget_metric*"])


def test_a_killed_worker_is_an_error_that_names_the_signal(gate: Runner, project: Path) -> None:
    """The worker is killed by the project's own conftest while it runs samples."""
    shutil.rmtree(project / "cache", ignore_errors=True)
    (project / "pyproject.toml").write_text('[tool.edgebudget]\ncache = "cache"\n')
    (project / "conftest.py").write_text(
        """
import os, signal
from pytest_edgebudget.devices import client

real = client.WorkerClient.run

def run(self, *arguments):
    os.kill(self.pid, signal.SIGKILL)
    return real(self, *arguments)

client.WorkerClient.run = run
"""
    )
    result = gate("--edge-budget", "pi4.toml", "--edge-budget-report", "json:report.json")

    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["*killed by SIGKILL (9)*", "  size *ERROR"])
    result.stdout.no_fnmatch_line("*exception occurred*")
    assert '"errors": []' not in (project / "report.json").read_text()


def test_what_no_candidate_survives_is_told_once_with_the_data_that_it_is_about(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    import numpy as np

    with np.load(project / "data.npz") as data:
        arrays = {name: data[name] for name in data.files}
    small = {name: x[:, :5] if name.startswith("x_") else x for name, x in arrays.items()}
    np.savez(project / "small.npz", **small)
    write(BUDGET.replace("data.npz", "small.npz").replace('"float16", "int8"', '"float16"'))
    result = gate("--edge-budget", "pi4.toml", "--edge-budget-report", "json:report.json")

    result.assert_outcomes(errors=3)
    out = result.stdout.str()
    # pytest repeats the whole message in its short summary where CI is set.
    assert out.partition("short test summary info")[0].count("the data is ") == 1
    assert "digits (none, float16): a sample of shape 5x" in out
    assert "size, above, says the rest" in out
    assert (project / "report.json").read_text().count("small.npz") == 3


def test_a_candidate_that_cannot_be_built_does_not_stop_the_others(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    (project / "shrink.py").write_text(
        "import os, signal\n\n\ndef apply(job):\n"
        '    """Crash, as converters do."""\n    os.kill(os.getpid(), signal.SIGSEGV)\n'
    )
    (project / "conftest.py").write_text(
        """
import shrink
from pytest_edgebudget.passes.base import Pass

def pytest_edgebudget_passes():
    return [Pass(name="crash", apply=shrink.apply, check=lambda before, after, step: "",
                 formats=frozenset({"tflite"}))]
"""
    )
    write(BUDGET.replace('["none", "float16", "int8"]', '["crash", "int8"]').replace("24 K", "1 K"))
    result = gate("--edge-budget", "pi4.toml")

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["  crash *SIGSEGV (11)*", "  int8 *breaks download_size"])


def test_a_report_that_cannot_be_written_fails_the_run_and_not_the_others(
    gate: Runner, project: Path
) -> None:
    (project / "file").write_text("")
    result = gate(
        "--edge-budget=pi4.toml",
        "--edge-budget-report=json:file/report.json",
        "--edge-budget-report=markdown:report.md",
    )

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["error: the json report was not written: *"])
    assert (project / "report.md").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"pi4.toml", model="signs"', "pi4.toml has no model signs; it has digits"),
        ('"pi9.toml", model="digits"', "*there is no budget file *pi9.toml"),
        ('"bad.toml", model="digits"', "bad.toml:1: modles: *did you mean models*"),
        ('"pi4.toml"', "*edge_model needs a marker"),
    ],
)
def test_the_fixture_says_in_one_sentence_what_is_wrong(
    gate: Runner, project: Path, text: str, message: str
) -> None:
    (project / "bad.toml").write_text("[modles]\n")
    (project / "test_own.py").write_text(
        f"import pytest\n\n@pytest.mark.edge_budget({text})\ndef test_own(edge_model):\n    pass\n"
    )
    result = gate("test_own.py")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_wrong_setting_is_one_usage_error(gate: Runner, project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.edgebudget]\ncahce = "x"\n')
    result = gate("--edge-budget", "pi4.toml")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: pyproject.toml: *no key cahce", "  did you mean cache?"])
