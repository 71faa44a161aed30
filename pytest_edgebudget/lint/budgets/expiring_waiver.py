"""
A waiver has expired, or will within 30 days.

What it finds
    Waivers whose ``until`` is past (a warning) or near (a note).

Why it hurts
    On the day after ``until`` a broken limit fails again, in a build that changed nothing. It
    had better be known before.

Example
    ::

        [models.keywords.waive.size]
        reason = "new wake word, pruned next month"
        until  = 2026-12-01

Instead
    Mend the model, or agree on a new day and give the reason anew. A waiver that is not needed
    any more is removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at

SOON = timedelta(days=30)


def check(file: BudgetFile) -> Iterator[Finding]:
    """Waivers at their end."""
    for model in file.budget.models:
        for waiver in model.waivers:
            left = waiver.until - file.today
            if left < timedelta(0):
                message = f"the waiver expired on {waiver.until}: {waiver.reason}"
                yield at(waiver.place, message, instead="remove it, or agree on a new day")
            elif left <= SOON:
                days = "today" if not left.days else f"in {left.days} days, on {waiver.until}"
                message = f"the waiver ends {days}: {waiver.reason}"
                yield at(waiver.place, message, severity=Severity.NOTE)


RULE = Rule(
    code="EB111",
    name="expiring-waiver",
    severity=Severity.WARNING,
    needs=BudgetFile,
    check=check,
)
