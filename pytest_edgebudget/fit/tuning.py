"""What the pass `tune` is told of a budget: its limits of what a file tells."""

from __future__ import annotations

from pytest_edgebudget.devices import Device
from pytest_edgebudget.devices.kernels import kernels_of
from pytest_edgebudget.measure.gather import PLANNERS
from pytest_edgebudget.types import FunctionRef, ModelBudget, Tuning

BOUNDED = ("size", "macs", "arena")
"""Metrics that are known of a model before it is trained."""


def tuning_of(model: ModelBudget, device: Device, format: str) -> Tuning | None:
    """How models like *model* are built, and what they may cost; None for a model in a file."""
    if not isinstance(model.source, FunctionRef) or not model.tune:
        return None
    runtime = device.runtime_for(format)
    return Tuning(
        function=model.source,
        space=model.tune,
        bounds=tuple(
            (limit.metric, limit.max)
            for limit in model.limits
            if limit.metric in BOUNDED and limit.max is not None and limit.level == "error"
        ),
        planner=PLANNERS.get(runtime, runtime),
        kernels=kernels_of(device.choice.profile),
    )
