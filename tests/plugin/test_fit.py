from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import BUDGET, Runner

FIT = BUDGET.replace('["none", "float16", "int8"]', '"fit"')


def trials(project: Path) -> dict[str, dict]:
    report = json.loads((project / "report.json").read_text())
    return {trial["recipe"]: trial for trial in report["models"][0]["trials"]}


def run(gate: Runner) -> pytest.RunResult:
    return gate("--edge-budget", "pi4.toml", "--edge-budget-report", "json:report.json")


def test_the_first_recipe_that_fits_is_taken_and_what_cannot_fit_is_not_built(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    write(FIT)
    result = run(gate)

    result.assert_outcomes(passed=3)
    found = trials(project)
    assert [found[name]["state"] for name in ("none", "float16")] == ["skipped", "skipped"]
    assert found["float16"]["reason"] == "cannot fit: its weights alone need 35.8 KiB"
    assert list(found) == ["none", "float16", "weights_int8"]
    assert found["weights_int8"]["state"] == "chosen"


def test_the_smallest_that_keeps_its_accuracy_is_found(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    write(FIT.replace('size = "32 KiB"\n', "") + '[models.digits.fit]\nobjective = "size"\n')
    run(gate).assert_outcomes(passed=2)
    found = trials(project)
    (chosen,) = [trial for trial in found.values() if trial["state"] == "chosen"]
    assert chosen["readings"]["size"] < 17_500  # int4 and clean; all int8 files have over 22,000


def test_what_cannot_be_is_said_with_what_would_do(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    write(FIT.replace("32 KiB", "6 KiB"))
    result = run(gate)

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "No candidate keeps every limit:",
            "  * built and none keeps every limit; 6 could not fit and were not built",
            "  proved: the weights alone need 8.95 KiB in the least recipe, the limit is 6.00 KiB",
            "  size 13.9 KiB would let in int4_weights, which keeps every other limit",
        ]
    )


def test_work_that_no_recipe_takes_away_is_not_built_again_and_again(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    write(FIT.replace("[models.digits.budget]", "[models.digits.budget]\nmacs = 100_000"))
    run(gate)
    found = trials(project)
    assert found["int16x8"]["reason"] == "cannot fit: its layers need 318 k"
    assert sum(trial["state"] != "skipped" for trial in found.values()) < 8


def test_an_objective_that_the_device_does_not_read_is_an_error(
    gate: Runner, write: Callable[[str], None]
) -> None:
    write(FIT + '[models.digits.fit]\nobjective = "arena"\n')
    result = gate("--edge-budget", "pi4.toml")
    result.stdout.fnmatch_lines(["*the objective arena is not read here*"])
    result.assert_outcomes(errors=3)


def test_a_locked_recipe_is_judged_without_a_search(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    write(FIT)
    gate("--edge-budget", "pi4.toml", "--edge-budget-update").assert_outcomes(passed=3)
    run(gate).assert_outcomes(passed=3)
    assert list(trials(project)) == ["weights_int8"]


def test_trials_are_bounded(gate: Runner, write: Callable[[str], None], project: Path) -> None:
    write(FIT.replace("32 KiB", "13 KiB") + "[models.digits.fit]\nmax_trials = 2\n")
    run(gate)
    built = [trial for trial in trials(project).values() if trial["state"] != "skipped"]
    assert len(built) == 2


@pytest.mark.parametrize(
    ("table", "mistake"),
    [
        ('objective = "speed"', "must be *size*or*accuracy*"),
        ("max_trials = 0", "at least one candidate must be built"),
        ('max_time = "soon"', '"soon" is no time (such as: max_time = "10 min")'),
        ('max_time = "-3 s"', '"-3 s" is no time (such as: max_time = "10 min")'),
    ],
)
def test_a_wrong_table_is_refused(
    table: str, mistake: str, gate: Runner, write: Callable[[str], None]
) -> None:
    write(f"{FIT}[models.digits.fit]\n{table}\n")
    result = gate("--edge-budget", "pi4.toml")
    assert result.ret == 4
    key = table.partition(" ")[0]
    result.stderr.fnmatch_lines([f"ERROR: pi4.toml:*: models.digits.fit.{key}: {mistake}"])


def test_who_interrupts_a_gate_hears_that_nothing_is_lost(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    body = "def pytest_edgebudget_verdict(verdict):\n    raise KeyboardInterrupt\n"
    (project / "conftest.py").write_text(body)
    write(BUDGET)
    result = gate("--edge-budget", "pi4.toml")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["interrupted; what was built is kept, run again to go on"])


def test_a_table_without_a_search_is_refused(gate: Runner, write: Callable[[str], None]) -> None:
    write(f"{BUDGET}[models.digits.fit]\nmax_trials = 3\n")
    result = gate("--edge-budget", "pi4.toml")
    result.stderr.fnmatch_lines(
        ['*models.digits.fit: there is no search to set (write optimize = "fit")']
    )
