"""What the metrics of memory plans share."""

from __future__ import annotations

from pytest_edgebudget.graph.arena import Plan
from pytest_edgebudget.types import Layer


def at_the_peak(plan: Plan) -> tuple[Layer, ...]:
    """What lies in the arena when it is fullest, largest first."""
    alive = (allocation.buffer for allocation in plan.at(plan.peak))
    kinds = ((buffer, "scratch" if buffer.scratch else "tensor") for buffer in alive)
    return tuple(
        Layer(buffer.name.split(";")[0], kind, buffer.size)  # without what it was fused with
        for buffer, kind in kinds
        if buffer.size
    )


def bound_note(plan: Plan) -> str:
    """Why the plan is only a lower bound; empty when it is exact."""
    return "" if plan.exact else f"at least: {'; '.join(plan.reasons)}"
