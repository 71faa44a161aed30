"""`arena`: the memory that a runtime plans for the tensors of a model."""

from __future__ import annotations

import math

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.facts import PlanFacts
from pytest_edgebudget.graph.arena import Plan
from pytest_edgebudget.metrics._plan import at_the_peak, bound_note
from pytest_edgebudget.metrics.base import PLANNED, Metric, Options, Value
from pytest_edgebudget.types import Better, Evidence, Unit

PLANNING = frozenset({"reference", "builtin"})
"""Kernels with which LiteRT uses its own plan; XNNPACK allocates by itself."""


def read_arena(facts: PlanFacts, options: Options) -> Value:
    """
    Bytes of the tensor arena, of one named runtime and its set of kernels.

    Unit: bytes. Lower is better.

    TensorFlow Lite Micro: the head, which holds activations and scratch and is
    planned exactly as the runtime plans it, and the tail, which holds what
    lives for good (tensor structures, kernel data). The tail is an estimate:
    it decides no limit. A limit below the head is broken, one above the head
    and the most that the tail may be is kept, one in between is undecided. The
    arena that really runs may be a little larger still: allocating needs room
    of its own, for small models more than the plan.

    LiteRT with its reference or builtin kernels: the plan, exact. With its
    default kernels (XNNPACK) and in ONNX Runtime the plan is not used: see
    ``activation_plan``.

    Where a kernel's scratch is not known, the value is a lower bound, the note
    says so, and a limit above it is undecided.

    In a group the models use the head in turn: the largest head counts, and all
    tails.

    Source: tensorflow/lite/micro/memory_planner/greedy_memory_planner.cc and
    tensorflow/lite/arena_planner.cc.
    """
    plan = facts.plan
    if plan.runtime == "tflm":
        return _head_and_tail(plan)
    if plan.runtime == "litert" and facts.kernels in PLANNING:
        high = None if plan.exact else math.inf
        return Value(
            plan.size, low=plan.size, high=high, note=bound_note(plan), layers=at_the_peak(plan)
        )
    raise CannotTell(
        f"{facts.runtime} with its default kernels has no such arena",
        "activation_plan tells what a plan would need",
    )


def _head_and_tail(plan: Plan) -> Value:
    tail = plan.persistent
    high = plan.size + tail.high if tail and plan.exact else math.inf
    note = bound_note(plan) or "head exact, tail estimated"
    return Value(
        plan.size + (tail.value if tail else 0),
        low=plan.size,
        high=high,
        note=note,
        layers=at_the_peak(plan),
        evidence=Evidence.ESTIMATED,
        shared=plan.size,
    )


METRIC = Metric(
    name="arena",
    unit=Unit.BYTES,
    better=Better.LOWER,
    needs=PlanFacts,
    read=read_arena,
    accepts=PLANNED,
    additive=True,
)
