"""What would lower the memory peak, with figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

from pytest_edgebudget.explain.words import printable, shorten, size
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.arena import Allocation, Buffer, Plan
from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor
from pytest_edgebudget.graph.memory import plan as plan_memory
from pytest_edgebudget.graph.operations import is_elementwise

_WORTH = 0.02
"""A saving below this share of the arena is no advice."""

_NAME = 32


@dataclass(frozen=True, slots=True)
class Advice:
    """
    A way to a smaller arena.

    Attributes:
        text: what to do, in a few words.
        size: bytes that the arena then has, or has at least.
        evidence: "exact" when that was planned for this model, "estimated" when
            the model must change for it.
        order: the ops of the main subgraph in another order, where that is it.
    """

    text: str
    size: int
    evidence: str
    order: tuple[int, ...] = ()


def advice(graph: Graph, plan: Plan, kernels: str) -> tuple[Advice, ...]:
    """Ways to a smaller arena that are worth it, the largest saving first."""
    if not plan.live or not plan.size:
        return ()
    found = [
        *_better_order(graph, plan, kernels),
        *_placement(plan),
        *_in_place(graph, plan),
        *_integers(graph, plan, kernels),
        *_scratch(plan),
        *_halved(plan),
    ]
    worth = [item for item in found if plan.size - item.size >= _WORTH * plan.size]
    return tuple(sorted(worth, key=lambda item: item.size))


def needed(plan: Plan, room: Callable[[Buffer], int] = lambda buffer: buffer.size) -> int:
    """Bytes in use at the fullest step, if each buffer needed *room* of it."""
    changes = [0] * (len(plan.live) + 1)
    for allocation in plan.allocations:
        buffer = allocation.buffer
        if 0 <= buffer.first <= buffer.last < len(plan.live):
            changes[buffer.first] += room(buffer)
            changes[buffer.last + 1] -= room(buffer)
    return max(accumulate(changes))


def _better_order(graph: Graph, plan: Plan, kernels: str) -> Iterator[Advice]:
    if plan.runtime == "onnxruntime":
        return  # it orders the ops by itself
    from pytest_edgebudget.graph.schedule import better_order

    order = better_order(graph, plan.runtime, kernels)
    if order is not None:
        text = "another order of the ops, which computes the same"
        evidence = "exact" if plan.exact else "estimated"
        yield Advice(text, order.after, evidence, order.ops)


def _placement(plan: Plan) -> Iterator[Advice]:
    if plan.size > plan.lower_bound > 0:
        lost = f"{size(plan.size - plan.lower_bound)} are lost to the placement of {plan.runtime}"
        evidence = "exact" if plan.exact else "estimated"
        yield Advice(f"no gaps between buffers: {lost}", plan.lower_bound, evidence)


def _in_place(graph: Graph, plan: Plan) -> Iterator[Advice]:
    """An elementwise op at the peak that could write over an input that it is last to read."""
    step = plan.steps[plan.peak]
    subgraph = graph.subgraphs[step.subgraph]
    op = subgraph.ops[step.op]
    pair = _same_size(op, plan) if is_elementwise(op.kind) else None
    if pair is None:
        return
    source, result = pair
    alive = plan.live[plan.peak] - result.buffer.size
    others = max((n for i, n in enumerate(plan.live) if i != plan.peak), default=0)
    fused = "fused into the op before it" if _fusible(op, subgraph) else "computed in place"
    text = f"{op.kind} {fused}, over its input {_named(source.buffer)}"
    yield Advice(text, max(alive, others), "estimated")


def _same_size(op: Op, plan: Plan) -> tuple[Allocation, Allocation] | None:
    """The allocations of an input that dies here, and of the output of that size elsewhere."""
    here = {a.buffer.tensor: a for a in plan.at(plan.peak) if not a.buffer.scratch}
    results = [here[i] for i in op.outputs if i in here]
    for source in (here[i] for i in op.inputs if i in here):
        for result in results:
            same = source.buffer.size == result.buffer.size and source.offset != result.offset
            if same and source.buffer.last == plan.peak:
                return source, result
    return None


def _fusible(op: Op, subgraph: Subgraph) -> bool:
    """Whether *op* has one input, which no other op reads."""
    computed = [i for i in op.inputs if i >= 0 and not subgraph.tensors[i].constant]
    readers = sum(computed[0] in other.inputs for other in subgraph.ops) if computed else 0
    return len(computed) == 1 == readers


def _integers(graph: Graph, plan: Plan, kernels: str) -> Iterator[Advice]:
    """The same graph with int8 where it computes in float32."""
    tensors = [
        graph.subgraphs[a.buffer.subgraph].tensors[a.buffer.tensor]
        for a in plan.at(plan.peak)
        if not a.buffer.scratch
    ]
    if any(tensor.dtype == "float32" for tensor in tensors):
        smaller = plan_memory(_as_int8(graph), plan.runtime, kernels)
        yield Advice("int8 activations", smaller.size, "estimated")


def _as_int8(graph: Graph) -> Graph:
    def narrow(tensor: Tensor) -> Tensor:
        wide = tensor.dtype == "float32" and not tensor.constant
        return replace(tensor, dtype="int8") if wide else tensor

    subgraphs = tuple(
        replace(sub, tensors=tuple(narrow(tensor) for tensor in sub.tensors))
        for sub in graph.subgraphs
    )
    return replace(graph, subgraphs=subgraphs)


def _scratch(plan: Plan) -> Iterator[Advice]:
    scratch = [a.buffer for a in plan.at(plan.peak) if a.buffer.scratch]
    if scratch:
        least = needed(plan, lambda b: 0 if b.scratch else b.size)
        names = ", ".join(b.name.rpartition(": ")[2] for b in scratch[:3])
        held = size(sum(b.size for b in scratch))
        text = f"without scratch memory of kernels: {shorten(names, _NAME)} ({held})"
        yield Advice(text, least, "estimated")


def _halved(plan: Plan) -> Iterator[Advice]:
    """The two largest tensors of each fullest step with half of their channels or rows."""
    most = max(plan.live)
    full = [step for step, live in enumerate(plan.live) if live == most]
    largest = (a.buffer for step in full for a in plan.at(step)[:2])
    tensors = dict.fromkeys(buffer for buffer in largest if not buffer.scratch)
    if tensors:
        least = needed(plan, lambda b: b.size // 2 if b in tensors else b.size)
        names = " and ".join(map(_named, tensors))
        which = names if len(tensors) < 3 else f"the {len(tensors)} tensors that fill these ops"
        yield Advice(f"half the channels (or rows) of {which}", least, "estimated")


def _named(buffer: Buffer) -> str:
    return shorten(printable(buffer.name.split(";")[0]), _NAME)
