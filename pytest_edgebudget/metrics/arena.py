"""`arena`: the memory that a runtime plans for the tensors of a model."""

from __future__ import annotations

import math

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.facts import PlanFacts
from pytest_edgebudget.graph.arena import Arena, Plan
from pytest_edgebudget.metrics._plan import at_the_peak, bound_note
from pytest_edgebudget.metrics.base import PLANNED, Metric, Options, Value
from pytest_edgebudget.types import Better, Evidence, Unit

PLANNING = frozenset({"reference", "builtin"})
"""Kernels with which LiteRT uses its own plan; XNNPACK allocates by itself."""


def read_arena(facts: PlanFacts, options: Options) -> Value:
    """
    Bytes of the tensor arena, of one named runtime and its set of kernels.

    Unit: bytes. Lower is better.

    TensorFlow Lite Micro: the smallest arena in which the model comes up. That
    is the head, which holds activations and scratch and is planned as the
    runtime plans it, and the tail, which holds what lives for good (tensor
    structures, kernel data); where the runtime needs more while it plans than
    the head has, that instead.

    ``run = "tflm"``: the smallest in which it really came up and ran once, in
    steps of 16 bytes, on x86-64 with the reference kernels. On the device the
    tail is smaller, since pointers have half the bytes: the low end is the head
    and what stays for good with any pointer. The high end is what ran, and the
    most that CMSIS-NN's own formulas add. ``run = "static"``: the tail is
    estimated by op, and only the head is sure. Below the low end a limit is
    broken, above the high end kept, in between undecided.

    CMSIS-NN's scratch depends on the CPU and the release: the head is then its
    least, and the most that its own formulas give counts above. ESP-NN's scratch
    is not known.

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
    if facts.arena is not None:
        return _as_it_ran(facts, facts.arena)
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


def _as_it_ran(facts: PlanFacts, arena: Arena) -> Value:
    return Value(
        arena.value,
        low=arena.low,
        high=math.inf if arena.high is None else arena.high,
        note=facts.note,
        layers=at_the_peak(facts.plan),
        evidence=Evidence.ESTIMATED,
        shared=arena.head,
    )


def _head_and_tail(plan: Plan) -> Value:
    arena, sure = plan.arena, plan.size
    known = arena is not None and plan.upper is not None
    return Value(
        arena.value if arena else sure,
        low=sure,
        high=arena.high if arena and known else math.inf,
        note=_note(plan) if known else bound_note(plan),
        layers=at_the_peak(plan),
        evidence=Evidence.ESTIMATED,
        shared=sure,
    )


def _note(plan: Plan) -> str:
    """What is sure of a plan that has an upper end, and what is not."""
    head = "head exact" if plan.exact else f"head at least: {'; '.join(plan.reasons)}"
    return f"{head}, tail estimated"


METRIC = Metric(
    name="arena",
    unit=Unit.BYTES,
    better=Better.LOWER,
    needs=PlanFacts,
    read=read_arena,
    accepts=PLANNED,
    additive=True,
)
