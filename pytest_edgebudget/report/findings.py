"""What the linter found in an artifact, as a row."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_edgebudget.lint.result import Reported
from pytest_edgebudget.report.base import FindingRow, LintRow
from pytest_edgebudget.types import Budget, ModelBudget

HARMLESS = "note"


def lint_row(
    found: Sequence[Reported], budget: Budget, model: ModelBudget, *, file: str
) -> LintRow:
    """The linter's item of one model: a finding of severity error fails, if the level says so."""
    worst_first = sorted(found, key=lambda each: ("error", "warning", "note").index(each.severity))
    rows = tuple(_row(each) for each in worst_first)
    fails = budget.lint.level == "error" and any(row.severity == "error" for row in rows)
    worse = any(row.severity != HARMLESS for row in rows)
    return LintRow(
        id=f"{file}::{model.name}::lint",
        file=file,
        model=model.name,
        status="broken" if fails else "warned" if worse else "kept",
        fails=fails,
        line=model.place.line,
        findings=rows,
    )


def _row(found: Reported) -> FindingRow:
    return FindingRow(
        code=found.code,
        rule=found.name,
        severity=found.severity.value,
        message=found.message,
        where=found.where,
        instead=found.instead,
    )
