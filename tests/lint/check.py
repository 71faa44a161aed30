"""What one rule finds in one file, as the linter would ask it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pytest_edgebudget.graph import read
from pytest_edgebudget.lint.base import BudgetFile, Finding, ModelFile, OnDevice, Rule
from pytest_edgebudget.types import Profile

TODAY = date(2026, 11, 20)


def findings(
    rule: Rule, path: Path, profile: Profile | None = None, today: date = TODAY
) -> list[Finding]:
    """What *rule* finds in the model or budget file at *path*."""
    if rule.needs is BudgetFile:
        return list(rule.check(_budget_file(path, today)))
    graph = read(path)
    assert graph.format in rule.formats, f"{rule.code} does not look at .{graph.format}"
    model = ModelFile(path, graph)
    if rule.needs is ModelFile:
        return list(rule.check(model))
    assert rule.needs is OnDevice
    assert profile is not None, f"{rule.code} needs a device"
    return list(rule.check(OnDevice(model, profile)))


def messages(
    rule: Rule, path: Path, profile: Profile | None = None, today: date = TODAY
) -> list[str]:
    """The sentences alone."""
    return [finding.message for finding in findings(rule, path, profile, today)]


def _budget_file(path: Path, today: date) -> BudgetFile:
    from pytest_edgebudget.budget import read_budget
    from pytest_edgebudget.budget.schema import built_in

    return BudgetFile(path, read_budget(path, built_in(), root=path.parent), today)
