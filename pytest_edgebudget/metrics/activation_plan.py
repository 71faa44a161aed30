"""`activation_plan`: what a memory plan would need, where the runtime uses none."""

from __future__ import annotations

import math

from pytest_edgebudget.facts import PlanFacts
from pytest_edgebudget.metrics._plan import at_the_peak, bound_note
from pytest_edgebudget.metrics.base import PLANNED, Metric, Options, Value
from pytest_edgebudget.types import Better, Evidence, Unit


def read_activation_plan(facts: PlanFacts, options: Options) -> Value:
    """
    Bytes of activations in the plan of the runtime's own kernels.

    Unit: bytes. Lower is better. Information and not a limit: a delegate such
    as XNNPACK allocates by itself, so that this is no memory of the device, but
    it grows and shrinks with the model, and says which tensors are large. Its
    limits are warnings. ``ram`` is measured; ``arena`` is the plan where the
    runtime uses it.

    For .tflite the plan of LiteRT (or of TensorFlow Lite Micro, on its
    profiles); for .onnx the most bytes that are alive at once.
    """
    plan = facts.plan
    known = plan.upper is not None  # by the kernels' own formulas, where the plan is not exact
    return Value(
        plan.size,
        low=plan.size,
        high=plan.upper if known else math.inf,
        note=bound_note(plan),
        layers=at_the_peak(plan),
        evidence=Evidence.ESTIMATED if known and not plan.exact else None,
    )


METRIC = Metric(
    name="activation_plan",
    unit=Unit.BYTES,
    better=Better.LOWER,
    needs=PlanFacts,
    read=read_activation_plan,
    accepts=PLANNED,
    informs=True,
)
