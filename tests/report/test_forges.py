"""What GitLab and GitHub read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from pytest_edgebudget.finish import write_reports
from pytest_edgebudget.report import github, gitlab, markdown
from pytest_edgebudget.report.base import FindingRow, LintRow, Run
from tests.report.conftest import FILE

# GitLab's documentation names these fields as required, and these severities.
ISSUES = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "not": {"pattern": r"^(\./|/)"}},
                    "lines": {"required": ["begin"], "properties": {"begin": {"minimum": 1}}},
                },
            },
        },
    },
}


@pytest.fixture
def linted(run: Run, tmp_path: Path) -> Run:
    """The run with a finding of the linter, in a folder of its own."""
    finding = FindingRow(code="EB201", rule="r", severity="warning", message="a%b\nc", where="op:1")
    lint = LintRow(
        id=f"{FILE}::digits::lint", file=FILE, model="digits", status="warned", fails=False,
        line=9, findings=(finding,),
    )  # fmt: skip
    return replace(run, lints=(lint,), root=str(tmp_path))


def test_gitlab_shows_what_is_not_kept_at_its_line(linted: Run) -> None:
    issues = json.loads(gitlab.quality(linted))
    jsonschema.validate(issues, ISSUES)

    assert [(each["check_name"], each["severity"]) for each in issues] == [
        ("limit-broken", "critical"),
        ("limit-undecided", "info"),
        ("limit-waived", "info"),
        ("EB201", "minor"),
    ]
    assert issues[0]["location"] == {"path": FILE, "lines": {"begin": 14}}
    assert len({each["fingerprint"] for each in issues}) == 4
    assert json.loads(gitlab.quality(linted)) == issues  # fingerprints last


def test_gitlab_reads_every_reading_as_a_metric(linted: Run) -> None:
    lines = gitlab.metrics(linted).splitlines()

    assert "# TYPE edgebudget_size gauge" in lines
    assert f'edgebudget_size{{file="{FILE}",model="digits",unit="B"}} 39321.0' in lines
    assert lines[-1] == "# EOF"


def test_the_metrics_are_what_prometheus_reads(linted: Run) -> None:
    parser = pytest.importorskip(
        "prometheus_client.openmetrics.parser", reason="an independent reader of OpenMetrics"
    )
    families = list(parser.text_string_to_metric_families(gitlab.metrics(linted)))

    assert {family.name for family in families} == {
        f"edgebudget_{name}" for name in ("size", "accuracy", "ram", "macs")
    }


def test_github_shows_annotations_on_one_line_each(linted: Run) -> None:
    lines = github.render(linted).splitlines()

    assert lines[0] == (
        f"::error file={FILE},line=14,title=edge budget::"
        "digits: size 38.4 KiB, limit at most 32.0 KiB: broken"
    )
    assert (
        f"::warning file={FILE},line=9,title=edge budget::digits: EB201 warning: op:1: a%25b%0Ac"
    ) in lines
    assert lines[-1].startswith(f"::error file={FILE},line=1,title=edge budget::{FILE}::gestures")


def test_markdown_goes_into_the_summary_of_the_job(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    said = list(write_reports([(markdown.REPORT, tmp_path / "out.md")], run))

    assert said == [f"wrote markdown report: {tmp_path / 'out.md'}"]
    assert summary.read_text() == "before\n" + markdown.render(run) + "\n"
