"""
GitLab's two: the code-quality report, and the metrics report of a merge request.

Source: GitLab's documentation, "Code Quality", "Code Quality report format", and
"Metrics reports", which is the text format of OpenMetrics.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path

from pytest_edgebudget.lint.places import checkout, from_checkout
from pytest_edgebudget.report import words
from pytest_edgebudget.report.base import LimitRow, Report, Run

SEVERITIES = {
    "broken": "critical",
    "unmeasured": "major",
    "warned": "minor",
    "undecided": "info",
    "waived": "info",
}
OF_FINDINGS = {"error": "major", "warning": "minor", "note": "info"}


def quality(run: Run) -> str:
    """One issue a limit that is not kept and one a finding of the linter, for ``codequality:``."""
    return json.dumps(list(_issues(run)), indent=2) + "\n"


def _issues(run: Run) -> Iterator[dict[str, object]]:
    root = Path(run.root)
    top = checkout(root)
    for row in run.limits:
        if row.status in SEVERITIES:
            file, _, line = row.where.rpartition(":")
            reason = row.reason or row.waiver
            text = words.one_line(row) + (f" ({reason})" if reason else "")
            place = from_checkout(root / (file or row.file), top), int(line or row.line)
            name = f"limit-{row.status}"
            yield _issue(name, text, SEVERITIES[row.status], place, row.id)
    for lint in run.lints:
        for found in lint.findings:
            text = f"{lint.model}: {words.finding(found)}"
            place = from_checkout(root / lint.file, top), lint.line
            severity = OF_FINDINGS[found.severity]
            yield _issue(found.code, text, severity, place, f"{lint.id}\0{found.code}{found.where}")


def _issue(
    name: str, text: str, severity: str, place: tuple[str, int], identity: str
) -> dict[str, object]:
    """*identity* makes the fingerprint, by which GitLab knows an issue again."""
    return {
        "description": text,
        "check_name": name,
        "fingerprint": hashlib.sha256(identity.encode()).hexdigest(),
        "severity": severity,
        "location": {"path": place[0], "lines": {"begin": max(1, place[1])}},
    }


def metrics(run: Run) -> str:
    """One sample a reading, for ``metrics:``; values are in SI units."""
    names: dict[str, list[str]] = {}
    for row in run.limits:
        if row.after is not None and math.isfinite(row.after.value):
            names.setdefault(_name(row), []).append(_sample(row, row.after.value))
    lines = [line for name, rows in names.items() for line in (f"# TYPE {name} gauge", *rows)]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _name(row: LimitRow) -> str:
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in row.metric)
    return f"edgebudget_{plain}"


def _sample(row: LimitRow, value: float) -> str:
    labels = {"file": row.file, "model": row.model, "unit": row.unit}
    if _name(row) != f"edgebudget_{row.metric}":  # accuracy[speaker]
        labels["metric"] = row.metric
    inside = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
    return f"{_name(row)}{{{inside}}} {value!r}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


QUALITY = Report(name="gitlab-quality", render=quality)
METRICS = Report(name="gitlab-metrics", render=metrics)
