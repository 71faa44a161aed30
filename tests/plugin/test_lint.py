"""The linter's item of each model: what it found in the artifact, and what fails."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugin.conftest import Runner

CHECK = "import sys; from pytest_edgebudget.cli import main; sys.exit(main())"

MODEL = """\
[device]
profile = "{profile}"

[models.digits]
path = "digits.tflite"
budget = {{ size = "128 KiB" }}
"""


@pytest.fixture
def project_without_lint(write: Callable[[str], None]) -> None:
    write(MODEL.format(profile="raspberry-pi-4") + '\n[lint]\nlevel = "off"\n')


def budget(profile: str, lint: str = "") -> str:
    return MODEL.format(profile=profile) + f"\n[lint]\n{lint}\n"


def test_each_model_has_a_lint_item_and_notes_do_not_fail(
    gate: Runner, write: Callable[[str], None]
) -> None:
    write(budget("raspberry-pi-4"))
    result = gate("--edge-budget", "pi4.toml", "-v")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["pi4.toml::digits::lint PASSED*", "  lint *1 note* kept"])


@pytest.mark.usefixtures("project_without_lint")
def test_it_can_be_turned_off(gate: Runner) -> None:
    result = gate("--edge-budget", "pi4.toml")
    result.assert_outcomes(passed=1)
    assert "lint" not in result.stdout.str().partition("edge budgets")[2]


def test_a_finding_of_severity_error_fails_and_says_what_next(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    write(budget("coral-dev-board"))
    result = gate("--edge-budget", "pi4.toml", "--edge-budget-report", "json:out.json")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "digits: lint: * in the artifact",
            "  EB4?? error: *",
            "What next:",
            "  - edgebudget explain EB4?? tells what it is, and what to do instead",
            "  - if it is meant: # edgebudget: ignore EB4?? - REASON, in the model's table",
            "  lint *error* broken",
        ]
    )
    (row,) = json.loads((project / "out.json").read_text())["lints"]
    assert (row["id"], row["status"], row["fails"]) == ("pi4.toml::digits::lint", "broken", True)
    assert row["findings"][0]["severity"] == "error"


def test_at_level_warn_findings_are_yellow_and_pass(
    gate: Runner, write: Callable[[str], None]
) -> None:
    write(budget("coral-dev-board", 'level = "warn"'))
    result = gate("--edge-budget", "pi4.toml", "-v")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["pi4.toml::digits::lint WARNED*", "*1 passed, 1 warned*"])


def test_rules_are_left_out_by_code(gate: Runner, write: Callable[[str], None]) -> None:
    write(budget("coral-dev-board", 'ignore = ["EB3", "EB4", "EB5"]'))
    gate("--edge-budget", "pi4.toml").assert_outcomes(passed=2)


def test_a_comment_with_a_reason_ignores_a_finding_of_its_model(
    gate: Runner, write: Callable[[str], None]
) -> None:
    text = budget("coral-dev-board").replace(
        "[models.digits]",
        "[models.digits]\n# edgebudget: ignore EB3, EB4 - the board has no accelerator yet",
    )
    write(text)
    gate("--edge-budget", "pi4.toml").assert_outcomes(passed=2)


def test_what_is_no_code_is_a_mistake_with_its_line(
    gate: Runner, write: Callable[[str], None]
) -> None:
    write(budget("raspberry-pi-4", 'ignore = ["dead ops"]'))
    result = gate("--edge-budget", "pi4.toml")
    assert result.ret == 4
    result.stderr.fnmatch_lines(['*pi4.toml:9: lint.ignore*: "dead ops" is not a code*'])


def test_two_workers_give_the_same_items(gate: Runner, write: Callable[[str], None]) -> None:
    write(budget("coral-dev-board"))
    gate("--edge-budget", "pi4.toml", "-n", "2").assert_outcomes(passed=1, failed=1)


def test_a_rule_of_the_projects_own_looks_at_the_artifact(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    write(budget("raspberry-pi-4"))
    (project / "conftest.py").write_text(
        '''"""
A team's own rule.

What it finds: models whose name has a digit.
"""
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity

def check(model):
    yield Finding(f"{len(model.graph.ops)} ops are too many")

def pytest_edgebudget_rules():
    return [Rule(code="ACME001", name="many-ops", severity=Severity.ERROR, needs=ModelFile, check=check)]
'''
    )
    result = gate("--edge-budget", "pi4.toml", ".", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["  ACME001 error: * ops are too many"])


def test_check_lints_as_pytest_does(
    project: Path, write: Callable[[str], None], pytester: pytest.Pytester
) -> None:
    write(budget("coral-dev-board"))
    result = pytester.run(sys.executable, "-c", CHECK, "check", "pi4.toml", "--update")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["  lint *error* broken", "digits: lint: * in the artifact"])
    assert not (project / "pi4.lock.json").exists()  # a broken run is no baseline


def test_the_id_of_a_lint_item_can_be_pasted_back(
    gate: Runner, write: Callable[[str], None]
) -> None:
    write(budget("raspberry-pi-4"))
    result = gate("pi4.toml::digits::lint", "--edge-budget", "pi4.toml")
    assert result.ret == 0


def test_a_code_that_no_rule_has_is_a_mistake_and_no_silence(
    gate: Runner, write: Callable[[str], None]
) -> None:
    write(budget("coral-dev-board", 'select = ["EB999"]'))
    result = gate("--edge-budget", "pi4.toml")
    assert result.ret == 4
    result.stderr.fnmatch_lines(['*pi4.toml:9: lint.select*: there is no rule "EB999" (*'])


def test_codes_of_extensions_are_believed(gate: Runner, write: Callable[[str], None]) -> None:
    write(budget("raspberry-pi-4", 'ignore = ["ACME001"]'))
    gate("--edge-budget", "pi4.toml").assert_outcomes(passed=2)


def test_a_metric_of_ones_own_cannot_be_called_lint(
    gate: Runner, write: Callable[[str], None]
) -> None:
    own = '[models.digits.metrics.lint]\nfunction = "mine:nines"\nbetter = "higher"\n'
    write(budget("raspberry-pi-4") + own)
    result = gate("--edge-budget", "pi4.toml")
    assert result.ret == 4
    result.stderr.fnmatch_lines(['*"lint" is the name of the linter\'s item*'])


def test_edge_model_fails_in_words_where_nothing_runs_or_the_linter_does(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    (project / "test_own.py").write_text(
        """
import pytest

@pytest.mark.edge_budget("pi4.toml", model="digits")
def test_it(edge_model):
    edge_model.predict([0.0])
"""
    )
    write(budget("coral-dev-board"))
    linted = gate("test_own.py")
    warned = budget("coral-dev-board", 'level = "warn"')
    write(warned.replace("[models", 'run = "static"\n[models', 1))
    static = gate("test_own.py")

    linted.assert_outcomes(errors=1)
    linted.stdout.fnmatch_lines(["*the linter finds errors in what digits becomes*"])
    static.assert_outcomes(failed=1)
    static.stdout.fnmatch_lines(['edge_model: run = "static": no model runs on coral-dev-board'])
    assert "Traceback" not in static.stdout.str()
