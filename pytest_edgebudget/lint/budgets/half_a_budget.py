"""
A model has no limit on this device, or none that could stop it.

What it finds
    A model of an extended file that this file gives no limit, so that it is left out without a
    word; a model all of whose limits are warnings; a model whose quality is limited and whose
    cost is not, alone or in a group.

Why it hurts
    The file reads as if the model were gated on the device. ``level = "warn"`` on every limit
    shows yellow lines, and the exit code stays 0 whatever they say.

Example
    ::

        extends = "models.toml"     # has the models keywords and gestures

        [models.keywords.budget]    # gestures is not gated here
        accuracy = 0.9              # and what keywords costs is not limited

Instead
    Limit what the device is short of: ``size``, ``ram``, ``arena``, ``latency``. Where a model
    is not for this device, say so in a comment that ignores this rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at
from pytest_edgebudget.types import Limit, ModelBudget


def check(file: BudgetFile) -> Iterator[Finding]:
    """Models that this budget does not hold back."""
    yield from _left_out(file)
    device = file.budget.device.profile.name
    for model in file.budget.models:
        joint = [
            limit
            for group in file.budget.groups
            if model.name in group.models
            for limit in group.limits
        ]
        if message := _half(model, (*model.limits, *joint), device):
            severity = Severity.NOTE if "cost" in message else None
            yield at(model.place, message, severity=severity)


def _half(model: ModelBudget, limits: tuple[Limit, ...], device: str) -> str:
    from pytest_edgebudget.lint.budgets._metrics import quality

    if limits and all(limit.level == "warn" for limit in limits):
        return f"all {len(limits)} limits are warnings: nothing can fail"
    if all(quality(limit.metric) for limit in limits):
        return f"only its quality is limited: it may cost on {device} whatever it likes"
    return ""


def _left_out(file: BudgetFile) -> Iterator[Finding]:
    """Models of extended files that have no limit in this budget."""
    from pytest_edgebudget.budget.load import Loader
    from pytest_edgebudget.budget.mistakes import Mistakes

    tree = Loader(Path.cwd(), Mistakes()).load(file.path)
    models = tree.table.get("models", tree).table if "models" in tree.table else {}
    here = {model.name for model in file.budget.models}
    for name, node in models.items():
        if name not in here:
            message = f"{name} of {node.place.file.name} has no limit here, so it is not gated"
            extends = tree.table["extends"].place
            device = file.budget.device.profile.name
            yield at(extends, f"{message} on {device}", severity=Severity.NOTE)


RULE = Rule(
    code="EB105",
    name="half-a-budget",
    severity=Severity.WARNING,
    needs=BudgetFile,
    check=check,
)
