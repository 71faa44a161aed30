"""
The arena is larger than it needs to be.

What it finds
    Models whose ops could run in another order with less memory, or whose tensors
    TensorFlow Lite Micro places with large gaps: at least a tenth of the arena, and 1 KiB.
    Its plan is computed exactly; where that is not possible, or it does not run such a
    model at all, there is no finding.

Why it hurts
    On a microcontroller the arena is what decides whether a model fits. Runtimes keep the
    order of the file and never look for a better one. A MobileNet-like model of 18 KB
    needed an arena of 36,909 bytes; with an offline plan without gaps it ran in 28,718.
    The figures of the message are those of the planned (non-persistent) part.

Example
    A residual block that computes the wide branch first and keeps its result while the
    narrow one is computed; an inverted residual block whose tensors have the sizes
    1 : 4 : 4 : 1, where the planner leaves a hole for the residual.

Instead
    Write the ops in the better order. Against gaps, give TensorFlow Lite Micro an offline
    plan: metadata named "OfflineMemoryAllocation" with int32 numbers 1, 0, the count of
    tensors, and for each its offset (-1: planned by the runtime). Or change the sizes so
    that buffers follow one another; `edgebudget explain MODEL` shows what lives when.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.arena import Plan
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.structure._ops import shown, size

_SHARE, _LEAST = 0.1, 1024
_MOST_OPS = 250
"""The search for an order takes up to a second in larger graphs, which no microcontroller runs."""


def check(model: ModelFile) -> Iterator[Finding]:
    """The plan of TensorFlow Lite Micro against what no order and no placement can do without."""
    if any(note.name == "OfflineMemoryAllocation" for note in model.graph.metadata):
        return  # the file brings a plan of its own, as Vela writes it
    plan = model.plan("tflm")
    if not plan.exact or not plan.live:
        return
    peak = plan.steps[plan.peak]
    where = shown(model.graph.subgraphs[peak.subgraph].ops[peak.op])
    message = _by_order(model, plan) or _by_place(plan)
    if message and _runs(model):
        yield Finding(message, where)


def _runs(model: ModelFile) -> bool:
    """Whether TensorFlow Lite Micro takes all operators."""
    from pytest_edgebudget.devices.constraints import refusals, table_of  # for a finding alone

    table = table_of("tflm")
    return table is None or next(refusals(table, model.graph), None) is None


def _by_place(plan: Plan) -> str:
    """What lies idle between tensors; "" when that is not worth a word."""
    if not _matters(plan.size, plan.lower_bound):
        return ""
    return (
        f"TensorFlow Lite Micro's plan needs {size(plan.size)}, of which at most "
        f"{size(plan.lower_bound)} are in use at once: "
        f"{_less(plan.size, plan.lower_bound)} are gaps"
    )


def _by_order(model: ModelFile, plan: Plan) -> str:
    """What another order would save; "" when that is not worth a word."""
    if len(model.graph.ops) > _MOST_OPS or not _matters(plan.size, _least(model, plan)):
        return ""
    # The search is imported when there is something to be found: most models pay nothing.
    from pytest_edgebudget.graph.schedule import better_order

    order = better_order(model.graph, "tflm")
    if order is None or not _matters(order.before, order.after):
        return ""
    return (
        f"in another order of its ops, TensorFlow Lite Micro would plan {size(order.after)} "
        f"instead of {size(order.before)}: {_less(order.before, order.after)} less"
    )


def _least(model: ModelFile, plan: Plan) -> int:
    """Bytes that every order needs: the largest sum of what one op reads and writes."""
    sizes = {
        item.buffer.tensor: item.buffer.size
        for item in plan.allocations
        if not item.buffer.subgraph
    }
    used = (set(op.inputs).union(op.outputs) for op in model.graph.ops)
    return max((sum(sizes.get(index, 0) for index in indices) for indices in used), default=0)


def _matters(before: int, after: int) -> bool:
    return before - after >= max(_LEAST, _SHARE * before)


def _less(before: int, after: int) -> str:
    return f"{1 - after / before:.0%}"


RULE = Rule(
    code="EB212",
    name="wasted-arena",
    severity=Severity.NOTE,
    needs=ModelFile,
    check=check,
    formats=frozenset({"tflite"}),
)
