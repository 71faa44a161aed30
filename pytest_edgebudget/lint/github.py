"""
Findings as annotations of a GitHub workflow: ``--format github``.

Source of the escapes: actions/toolkit, packages/core/src/command.ts, the
functions escapeData and escapeProperty.
"""

from __future__ import annotations

from pathlib import Path

from pytest_edgebudget.lint.base import Severity
from pytest_edgebudget.lint.places import from_checkout, place_of
from pytest_edgebudget.lint.result import LintRun, Named, Reported
from pytest_edgebudget.lint.text import summary

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(run: LintRun, checkout: Path) -> str:
    """
    One workflow command a finding, then the summary.

    What is found in a model is shown at the budget file's line that names it,
    where there is one: a model has no lines.
    """
    lines = [_command(each, file.named, checkout) for file in run.files for each in file.found]
    lines += [f"::error title=internal error::{_data(crash)}" for crash in run.crashes]
    return "\n".join([*lines, summary(run)]) + "\n"


def _command(each: Reported, named: Named | None, checkout: Path) -> str:
    path, line = place_of(each, named)
    properties = {
        "file": from_checkout(path, checkout),
        "line": str(max(1, line)),
        "title": f"{each.code} {each.name}",
    }
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{_COMMANDS[each.severity]} {written}::{_data(_text(each, path))}"


def _text(each: Reported, path: Path) -> str:
    model = f"{each.path}: " if path != each.path else ""
    where = f"{each.where}: " if each.where else ""
    devices = f" (on {', '.join(each.devices)})" if each.devices else ""
    instead = f"\ninstead: {each.instead}" if each.instead else ""
    return f"{model}{where}{each.message}{devices}{instead}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
