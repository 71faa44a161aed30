"""
A limit compares with the lock, and the lock has no reading for it.

What it finds
    ``max_regression`` of a metric that the lock beside the budget file does not hold, or where
    there is no lock. Where ``when_missing = "skip"`` waits for one, it is a note.

Why it hurts
    There is nothing to compare with: the limit is unmeasured and fails at every run, or, when
    it is skipped, has never been judged.

Example
    ::

        [models.keywords.budget]
        size = { max = "64 KiB", max_regression = "2 %" }     # no pi4.lock.json

Instead
    Write the lock with ``pytest --edge-budget FILE --edge-budget-update`` and commit it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at
from pytest_edgebudget.types import Limit

_INSTEAD = "write the lock with --edge-budget-update, and commit it"


def check(file: BudgetFile) -> Iterator[Finding]:
    """Limits with a regression that nothing can be compared with."""
    limits = [
        (model.name, limit)
        for model in file.budget.models
        for limit in model.limits
        if limit.max_regression is not None
    ]
    locked = _locked(file) if limits else None
    for name, limit in limits:
        if locked is not None and (name, limit.name) not in locked:
            yield at(limit.place, _message(limit), instead=_INSTEAD, severity=_severity(limit))


def _locked(file: BudgetFile) -> set[tuple[str, str]] | None:
    """Models and limits that the lock holds; None when it is damaged, which EB107 says."""
    from pytest_edgebudget.errors import ModelError
    from pytest_edgebudget.lock import read_lock

    try:
        entries = read_lock(file.path).entries
    except ModelError:
        return None
    return {(model, name) for model, entry in entries.items() for name in entry.readings}


def _message(limit: Limit) -> str:
    if limit.when_missing == "skip":
        return "max_regression is skipped: the lock has no reading to compare with"
    return "max_regression fails: the lock has no reading to compare with"


def _severity(limit: Limit) -> Severity | None:
    return Severity.NOTE if limit.when_missing == "skip" else None


RULE = Rule(
    code="EB108",
    name="regression-without-lock",
    severity=Severity.WARNING,
    needs=BudgetFile,
    check=check,
)
