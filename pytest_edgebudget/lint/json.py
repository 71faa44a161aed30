"""
Findings for programs: ``--format json``.

The keys are described in ``docs/lint.md``. Within one ``version`` keys are
added, and none is changed or removed.
"""

from __future__ import annotations

import json

from pytest_edgebudget import __version__
from pytest_edgebudget.lint.base import Severity
from pytest_edgebudget.lint.result import LintRun, Named, Reported

VERSION = 1

Json = dict[str, object]


def render(run: LintRun) -> str:
    """The run as JSON text."""
    data = {
        "version": VERSION,
        "tool": f"pytest-edgebudget {__version__}",
        "summary": _summary(run),
        "findings": [_finding(each, file.named) for file in run.files for each in file.found],
        "unreadable": [file.path.as_posix() for file in run.files if file.unreadable],
        "skipped": [
            {"path": file.path.as_posix(), "reason": file.skipped}
            for file in run.files
            if file.skipped
        ],
        "internal_errors": list(run.crashes),
    }
    return json.dumps(data, indent=1) + "\n"


def _summary(run: LintRun) -> Json:
    counts: Json = {f"{severity}s": run.count(severity) for severity in Severity}
    return {"files": run.checked, "findings": len(run.found), **counts, "exit_code": run.exit_code}


def _finding(each: Reported, named: Named | None) -> Json:
    return {
        "code": each.code,
        "name": each.name,
        "severity": str(each.severity),
        "path": each.path.as_posix(),
        "line": each.line or None,
        "where": each.where,
        "message": each.message,
        "instead": each.instead,
        "devices": list(each.devices),
        "named_by": {"path": named.path.as_posix(), "line": named.line} if named else None,
    }
