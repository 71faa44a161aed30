"""Findings as annotations of GitHub, and as SARIF for its code scanning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget import sarif
from pytest_edgebudget.lint import github
from pytest_edgebudget.lint import sarif as lint_sarif
from pytest_edgebudget.lint.base import Severity
from pytest_edgebudget.lint.result import FileResult, LintRun, Named, Reported
from pytest_edgebudget.lint.table import RULES
from pytest_edgebudget.sarif import SarifPlace, SarifResult, SarifRule
from tests.lint.conftest import HEAD, Lint

SCHEMA = Path(__file__).with_name("sarif-2.1.0-rtm.5.json")
"""The schema of SARIF 2.1.0, unchanged, from the npm package @microsoft/jest-sarif (MIT)."""


def found(**changes: Any) -> Reported:
    facts: dict[str, Any] = {
        "code": "EB103",
        "name": "never-failing-limit",
        "severity": Severity.WARNING,
        "path": Path("budgets/pi4.toml"),
        "message": "never fails",
        "line": 7,
    }
    return Reported(**(facts | changes))


def run_of(*files: FileResult) -> LintRun:
    return LintRun(files)


def check_sarif(text: str) -> dict[str, Any]:
    """The log, which the schema of the standard must allow."""
    jsonschema = pytest.importorskip("jsonschema")
    log: dict[str, Any] = json.loads(text)
    jsonschema.Draft4Validator(json.loads(SCHEMA.read_text())).validate(log)
    return log


# --- annotations ---------------------------------------------------------------


def test_an_annotation_is_at_the_line_from_the_top_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path / "models")
    run = run_of(FileResult(path=Path("pi4.toml"), found=(found(path=Path("pi4.toml")),)))

    assert github.render(run, tmp_path) == (
        "::warning file=models/pi4.toml,line=7,title=EB103 never-failing-limit::never fails\n"
        "1 finding in 1 file: 1 warning; 1 file checked\n"
    )


def test_what_is_found_in_a_model_is_annotated_where_a_budget_names_it(tmp_path: Path) -> None:
    model = found(path=Path("a.tflite"), line=0, where="conv", instead="fuse", devices=("pi4",))
    named = FileResult(
        path=Path("a.tflite"), found=(model,), named=Named(Path("budgets/pi4.toml"), 4)
    )
    bare = FileResult(path=Path("a.tflite"), found=(model,))

    lines = github.render(run_of(named, bare), Path.cwd()).splitlines()

    title = "title=EB103 never-failing-limit"
    text = "conv: never fails (on pi4)%0Ainstead: fuse"
    assert lines[0] == f"::warning file=budgets/pi4.toml,line=4,{title}::a.tflite: {text}"
    assert lines[1] == f"::warning file=a.tflite,line=1,{title}::{text}"


def test_characters_of_the_command_syntax_are_escaped() -> None:
    # actions/toolkit, command.test.ts: "%25 percent %0D%0A", ":" and "," in properties only
    odd = found(path=Path("a,b:c%.toml"), message="50 % of a: b, c\r\n::error::d")

    (line, _) = github.render(run_of(FileResult(path=odd.path, found=(odd,))), Path.cwd()).split(
        "\n", 1
    )

    assert line.startswith("::warning file=a%2Cb%3Ac%25.toml,line=7,title=EB103 never")
    assert line.endswith("::50 %25 of a: b, c%0D%0A::error::d")


def test_notes_are_notices_and_our_own_mistakes_are_errors() -> None:
    file = FileResult(
        path=Path("a.toml"), found=(found(severity=Severity.NOTE),), crashes=("EB203 failed",)
    )

    lines = github.render(run_of(file), Path.cwd()).splitlines()

    assert lines[0].startswith("::notice file=budgets/pi4.toml,line=7,")
    assert lines[1] == "::error title=internal error::EB203 failed"


# --- SARIF ---------------------------------------------------------------------


def test_sarif_has_the_rules_that_found_something_and_their_documentation() -> None:
    run = run_of(FileResult(path=Path("budgets/pi4.toml"), found=(found(),)))

    log = check_sarif(lint_sarif.render(run, RULES, Path.cwd()))

    driver = log["runs"][0]["tool"]["driver"]
    (rule,) = driver["rules"]
    assert (driver["name"], rule["id"], rule["name"]) == (
        "edgebudget",
        "EB103",
        "NeverFailingLimit",
    )
    assert rule["shortDescription"]["text"] == "A limit can never fail, whatever the model does."
    assert "**Why it hurts**" in rule["help"]["markdown"]
    assert rule["defaultConfiguration"] == {"level": "warning"}
    assert rule["properties"] == {"tags": ["edgebudget", "budget"], "problem.severity": "warning"}


def test_sarif_places_are_relative_to_the_checkout_and_have_lines_from_1() -> None:
    model = found(path=Path("my models/a.tflite"), line=0, where="conv")
    named = FileResult(path=model.path, found=(model,), named=Named(Path("budgets/pi4.toml"), 4))
    bare = FileResult(path=model.path, found=(model,))

    log = check_sarif(lint_sarif.render(run_of(named, bare), RULES, Path.cwd()))
    first, second = log["runs"][0]["results"]

    assert first["locations"] == [place("budgets/pi4.toml", 4)]
    assert (
        first["relatedLocations"][0]["physicalLocation"]
        == (place("my%20models/a.tflite", 1)["physicalLocation"])
    )
    assert second["locations"] == [place("my%20models/a.tflite", 1)]


def place(uri: str, line: int) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri, "uriBaseId": "SRCROOT"},
            "region": {"startLine": line},
        }
    }


def test_a_result_keeps_its_fingerprint_when_lines_and_numbers_change() -> None:
    before = [found(where="a", line=7, message="3 ms"), found(where="b", line=8)]
    after = [found(where="new", line=7), *(found(where=w, line=20, message="4 ms") for w in "ab")]

    assert [fingerprints(before)[0], fingerprints(before)[1]] == fingerprints(after)[1:]
    assert len(set(fingerprints(after))) == 3


def fingerprints(results: list[Reported]) -> list[str]:
    run = run_of(FileResult(path=Path("a.toml"), found=tuple(results)))
    log = check_sarif(lint_sarif.render(run, RULES, Path.cwd()))
    return [
        each["partialFingerprints"]["primaryLocationLineHash"] for each in log["runs"][0]["results"]
    ]


def test_equal_results_at_one_place_have_fingerprints_of_their_own() -> None:
    first, second = fingerprints([found(), found()])

    assert first.removesuffix(":1") == second.removesuffix(":2")


def test_of_more_results_than_github_shows_the_worst_are_written() -> None:
    rule = SarifRule(id="EB103", name="x", summary="X.", help="X.", level="note")
    notes = [result(str(n), "note") for n in range(sarif.MOST)]

    log = check_sarif(
        sarif.render([rule], [*notes, result("last", "error")], category="edgebudget-lint")
    )

    (run,) = log["runs"]
    assert len(run["results"]) == 5000
    assert run["results"][0]["level"] == "error"
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"] == "1 results are left out, the least severe ones"


def result(identity: str, level: str) -> SarifResult:
    return SarifResult(
        rule="EB103", level=level, message="x", place=SarifPlace("a.toml"), identity=identity
    )


def test_a_mistake_of_ours_is_an_unsuccessful_run() -> None:
    log = check_sarif(sarif.render([], [], category="edgebudget-lint", failures=["EB203 failed"]))

    (invocation,) = log["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["message"] == {"text": "EB203 failed"}


def test_the_command_writes_sarif_of_everything(lint: Lint, project: Path) -> None:
    (project / "pi4.toml").write_text(HEAD + "accuracy = { min = 0 }\n")
    (project / "bad.tflite").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")

    code, out, _ = lint(".", "--format=sarif")

    log = check_sarif(out)
    ids = {each["ruleId"] for each in log["runs"][0]["results"]}
    assert code == 2
    assert {"EB100", "EB103"} <= ids
    assert ids == {rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]}
