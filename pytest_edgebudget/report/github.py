"""GitHub's annotations: commands that a workflow prints, shown at the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_edgebudget.lint.places import checkout, from_checkout
from pytest_edgebudget.report import words
from pytest_edgebudget.report.base import Report, Run

LEVELS = {"broken": "error", "unmeasured": "error", "warned": "warning", "undecided": "notice"}
OF_FINDINGS = {"error": "error", "warning": "warning", "note": "notice"}


def render(run: Run) -> str:
    """
    One command a line; ``cat`` of the file in a later step shows them.

    Source: GitHub's documentation, "Workflow commands for GitHub Actions".
    """
    return "".join(f"{line}\n" for line in _commands(run))


def _commands(run: Run) -> Iterator[str]:
    root = Path(run.root)
    top = checkout(root)
    for row in run.limits:
        if row.status in LEVELS:
            file, _, line = row.where.rpartition(":")
            place = from_checkout(root / (file or row.file), top), int(line or row.line)
            reason = f" ({row.reason})" if row.reason else ""
            yield _command(LEVELS[row.status], place, f"{words.one_line(row)}{reason}")
    for lint in run.lints:
        for found in lint.findings:
            place = from_checkout(root / lint.file, top), lint.line
            text = f"{lint.model}: {words.finding(found)}"
            yield _command(OF_FINDINGS[found.severity], place, text)
    for error in run.errors:
        yield _command("error", (error.file, 1), f"{error.id}: {error.message}")


def _command(level: str, place: tuple[str, int], text: str) -> str:
    file = _data(place[0]).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} file={file},line={max(1, place[1])},title=edge budget::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


REPORT = Report(name="github", render=render)
