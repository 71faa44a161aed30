"""Findings at the place where something was written."""

from __future__ import annotations

from pytest_edgebudget.errors import Place
from pytest_edgebudget.lint.base import Finding, Severity


def at(
    place: Place, message: str, *, instead: str = "", severity: Severity | None = None
) -> Finding:
    """A finding at *place*, which may be in a file that the budget extends."""
    return Finding(
        message,
        where=place.key,
        instead=instead,
        line=place.line,
        severity=severity,
        file=place.file,
    )
