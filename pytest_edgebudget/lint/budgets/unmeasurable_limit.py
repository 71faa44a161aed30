"""
A limit is of something that cannot be read where the models run.

What it finds
    Metrics that the device's way to run has no facts for (the cold start of a board while models
    run on this machine, the ``arena`` of a runtime whose kernels use none), and ``evidence``
    that none of its readings has. A latency or an energy that can be estimated from what was
    published is read, and is not found. Where ``when_missing = "skip"`` leaves such a limit out, it
    is a note.

Why it hurts
    The limit is unmeasured at every run: it fails whatever the model does, or was never judged.

Example
    ::

        [device]
        profile = "raspberry-pi-4"      # and models run on this machine

        [models.keywords.budget]
        cold_start = "80 ms"            # this machine's time is not the board's

Instead
    Limit what can be read without the board (``macs``, ``size``, ``ram``), put times in a budget
    of profile ``host``, or wait for the board with ``when_missing = "skip"``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at
from pytest_edgebudget.types import Budget, Evidence, GroupBudget, Limit, ModelBudget

if TYPE_CHECKING:
    from pytest_edgebudget.devices import Device
    from pytest_edgebudget.metrics.base import Metric


def check(file: BudgetFile) -> Iterator[Finding]:
    """Limits that no run can judge."""
    from pytest_edgebudget.devices import open_device
    from pytest_edgebudget.errors import EdgeBudgetError

    try:
        device = open_device(file.budget.device)
    except EdgeBudgetError:
        return  # the run says what is wrong with it
    for part in file.budget.parts:
        for limit in part.limits:
            if reason := _refusal(device, limit, _models(file.budget, part)):
                skip = limit.when_missing == "skip"
                what = "is always skipped" if skip else "always fails"
                severity = Severity.NOTE if skip else None
                yield at(limit.place, f"{what}: {reason}", severity=severity)


def _models(budget: Budget, part: ModelBudget | GroupBudget) -> tuple[ModelBudget, ...]:
    """The models that a part's limits are of."""
    if isinstance(part, GroupBudget):
        return tuple(model for model in budget.models if model.name in part.models)
    return (part,)


def _refusal(device: Device, limit: Limit, models: tuple[ModelBudget, ...]) -> str:
    """Why the device never has a reading that the limit accepts; empty when it may."""
    from pytest_edgebudget.facts import MemoryFacts, PlacementFacts, Predictions
    from pytest_edgebudget.lint.budgets._metrics import built_in

    metric = built_in().get(limit.metric)
    if metric is None:
        return ""
    if refused := device.refusal(metric.needs):
        return _unestimated(device, metric, refused, limit, models)
    if metric.needs in (Predictions, MemoryFacts) and device.source(metric.needs) is None:
        evidence = device.evidence(metric.needs)
        if evidence not in limit.evidence:
            accepted = ", ".join(limit.evidence)
            return f"readings here are {evidence}, and this limit accepts {accepted}"
    if metric.needs is PlacementFacts and not device.choice.profile.accelerator:
        name = device.choice.profile.name
        return "" if device.source(PlacementFacts) else f"{name} has no accelerator"
    return _no_arena(device) if metric.name == "arena" else ""


def _unestimated(
    device: Device, metric: Metric, refused: str, limit: Limit, models: tuple[ModelBudget, ...]
) -> str:
    """Why a metric that the device refuses is not estimated either; empty where it is."""
    if not metric.estimable:
        return refused
    if Evidence.ESTIMATED not in limit.evidence:
        return f"{refused}, and this limit accepts {', '.join(limit.evidence)}"
    from pytest_edgebudget.measure.estimates import why_none

    reasons = [why_none(device, model, metric.needs) for model in models]
    reason = next(filter(None, reasons), "")
    return f"{refused}; {reason}" if reason else ""


def _no_arena(device: Device) -> str:
    """Kernels that allocate by themselves have no arena of the runtime's to be measured."""
    from pytest_edgebudget.metrics.arena import PLANNING

    choice = device.choice
    runtimes = choice.runtimes
    if "tflm" in runtimes or choice.profile.kernels in PLANNING:
        return ""
    return f"{runtimes[0]} has no arena with its default kernels; see activation_plan"


RULE = Rule(
    code="EB113",
    name="unmeasurable-limit",
    severity=Severity.ERROR,
    needs=BudgetFile,
    check=check,
)
