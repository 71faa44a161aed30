"""What the linter found, in every report; the gate's own SARIF."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from pytest_edgebudget.report import json as json_report
from pytest_edgebudget.report import markdown, sarif, schema, terminal
from pytest_edgebudget.report.base import FindingRow, LintRow, Run
from pytest_edgebudget.report.message import lint_text
from tests.lint.test_formats import check_sarif
from tests.report.conftest import FILE

FOUND = (
    FindingRow(
        code="EB401",
        rule="accelerator-unused",
        severity="error",
        where="conv",
        message="none of the 7 operators runs on the NPU",
        instead="quantize the whole model to int8",
    ),
    FindingRow(code="EB205", rule="duplicate-constants", severity="warning", message="2 KiB twice"),
    FindingRow(code="EB508", rule="missing-signature", severity="note", message="no signature"),
)

TOLD = """\
digits: lint: 1 error, 1 warning, 1 note in the artifact
  EB401 error: conv: none of the 7 operators runs on the NPU
    quantize the whole model to int8
  EB205 warning: 2 KiB twice
  EB508 note: no signature

What next:
  - edgebudget explain EB401 tells what it is, and what to do instead
  - if it is meant: # edgebudget: ignore EB401 - REASON, in the model's table"""


def row(*found: FindingRow, status: str = "broken") -> LintRow:
    return LintRow(
        id=f"{FILE}::digits::lint",
        file=FILE,
        model="digits",
        status=status,
        fails=status == "broken",
        line=4,
        findings=found,
    )


@pytest.fixture
def linted(run: Run, tmp_path: Path) -> Run:
    (tmp_path / ".git").mkdir()
    return replace(run, lints=(row(*FOUND),), root=str(tmp_path / "app"))


def test_a_failing_item_tells_all_findings_and_what_next() -> None:
    assert lint_text(row(*FOUND)) == TOLD


def test_the_table_tells_what_is_worse_than_a_note(linted: Run) -> None:
    lines = terminal.table(linted, colour=False).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("  lint"))
    assert [" ".join(line.split()) for line in lines[start : start + 4]] == [
        "lint 1 error, 1 warning, 1 note broken",
        "EB401 error: conv: none of the 7 operators runs on the NPU",
        "EB205 warning: 2 KiB twice",
        "gestures",
    ]


def test_many_findings_are_counted(linted: Run) -> None:
    many = replace(linted, lints=(row(*FOUND[1:2] * 7, status="warned"),))
    assert "    and 2 more\n" in terminal.table(many, colour=False)


def test_markdown_tells_them_below_the_table(linted: Run) -> None:
    text = markdown.render(linted)
    assert "- digits: lint **broken**: 1 error, 1 warning, 1 note\n  - EB401 error: conv: " in text


def test_json_has_them_all_and_its_schema_allows_them(linted: Run) -> None:
    data = json.loads(json_report.render(linted))
    jsonschema.validate(data, schema.schema())
    assert [found["code"] for found in data["lints"][0]["findings"]] == ["EB401", "EB205", "EB508"]


def test_sarif_shows_limits_and_findings_at_the_budget_file_from_the_top(linted: Run) -> None:
    (run,) = check_sarif(sarif.render(linted))["runs"]
    results = [
        (each["ruleId"], each["level"], each["locations"][0]["physicalLocation"])
        for each in run["results"]
    ]

    def place(line: int) -> dict[str, object]:
        artifact = {"uri": f"app/{FILE}", "uriBaseId": "SRCROOT"}
        return {"artifactLocation": artifact, "region": {"startLine": line}}

    assert results == [
        ("limit-broken", "error", place(14)),
        ("EB401", "error", place(4)),
        ("EB205", "warning", place(4)),
        ("limit-undecided", "note", place(15)),
        ("limit-waived", "note", place(15)),
        ("EB508", "note", place(4)),
    ]
    first = run["results"][0]["message"]["text"].splitlines()
    assert first[0] == "digits: size 38.4 KiB, limit at most 32.0 KiB: broken"
    assert "- if the cost is meant: a limit of 38.4 KiB in budgets/pi4.toml:14" in first
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert "killed by SIGKILL" in told["message"]["text"]


def test_a_rule_of_a_conftest_is_in_sarif_too(linted: Run) -> None:
    own = FindingRow(code="ACME001", rule="many-ops", severity="warning", message="too many")
    (run,) = check_sarif(sarif.render(replace(linted, lints=(row(own),))))["runs"]
    assert "ACME001" in [rule["id"] for rule in run["tool"]["driver"]["rules"]]
