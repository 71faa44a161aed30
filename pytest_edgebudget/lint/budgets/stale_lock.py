"""
The lock holds a model or a recipe that the budget file has no more.

What it finds
    In the lock beside the budget file, models that the file does not have, and recipes that a
    model's ``optimize`` does not list.

Why it hurts
    A locked recipe that is not listed is not tried, so the next run may choose another model
    than the one that was reviewed, while the lock still shows the old one as what is shipped.

Example
    ``optimize = ["none", "int8"]``, and ``pi4.lock.json`` says ``"recipe": "float16"``.

Instead
    Run ``pytest --edge-budget FILE --edge-budget-update`` and review what is chosen now, or list
    the recipe again.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at
from pytest_edgebudget.types import ModelBudget

_INSTEAD = "write the lock anew with --edge-budget-update"


def check(file: BudgetFile) -> Iterator[Finding]:
    """What only the lock remembers."""
    from pytest_edgebudget.errors import ModelError
    from pytest_edgebudget.lock import read_lock

    try:
        lock = read_lock(file.path)
    except ModelError:
        return  # EB107 says so
    models = {model.name: model for model in file.budget.models}
    for name, entry in lock.entries.items():
        if name not in models:
            yield Finding(f"the lock has a model {name}, this file has not", instead=_INSTEAD)
        elif models[name].fit is None and entry.recipe not in _recipes(models[name]):
            message = f"the lock has the recipe {entry.recipe}, which optimize does not list"
            yield at(models[name].place, message, instead=_INSTEAD)


def _recipes(model: ModelBudget) -> set[str]:
    """What may be chosen; a model without recipes is gated as it is."""
    return {str(recipe) for recipe in model.optimize} or {"none"}


RULE = Rule(
    code="EB109",
    name="stale-lock",
    severity=Severity.WARNING,
    needs=BudgetFile,
    check=check,
)
