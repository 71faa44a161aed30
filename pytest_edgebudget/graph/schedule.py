"""
A better order of operations, where there is one.

LiteRT and TensorFlow Lite Micro run ops in the order of the file. Where a graph
branches, other orders compute the same, and the most bytes that are in use at
once may differ: ops that free more than they make should come first.

Ops with state or side effects, and those that run subgraphs, stay where they
are, and nothing moves across them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_edgebudget.graph.arena import Plan
from pytest_edgebudget.graph.ir import Graph, Op, Subgraph
from pytest_edgebudget.graph.memory import plan
from pytest_edgebudget.graph.schedule_blocks import blocks
from pytest_edgebudget.graph.schedule_search import Block, search
from pytest_edgebudget.graph.schedule_work import Work, work_of

MOST_OPS = 5_000
"""Larger graphs are left as they are: looking at them would take seconds."""

_STATEFUL = frozenset(
    """
    ASSIGN_VARIABLE CALL CALL_ONCE DELEGATE HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT
    HASHTABLE_LOOKUP HASHTABLE_SIZE IF MULTINOMIAL RANDOM_STANDARD_NORMAL RANDOM_UNIFORM
    READ_VARIABLE STABLEHLO_RNG_BIT_GENERATOR VAR_HANDLE WHILE
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Order:
    """
    Another order of the main subgraph's ops.

    Attributes:
        ops: their numbers in the file, in the better order.
        before, after: bytes of the runtime's plan, in the file's order and in
            this one.
        peak_before, peak_after: the largest live sets, in bytes.
        best: whether no order has a smaller live set; otherwise the search was
            cut short, and there may be a better one.
    """

    ops: tuple[int, ...]
    before: int
    after: int
    peak_before: int
    peak_after: int
    best: bool

    @property
    def saving(self) -> float:
        """The share of the plan that this order saves."""
        return 1 - self.after / self.before


def better_order(graph: Graph, runtime: str = "tflm", kernels: str = "") -> Order | None:
    """
    An order of the ops with which *runtime* ("tflm" or "litert") plans less memory.

    None where there is none, where none was found within a bounded search, and
    for .onnx: onnxruntime orders the ops by itself. Deterministic.
    """
    if graph.format != "tflite" or not 2 < len(graph.ops) <= MOST_OPS:
        return None
    old = plan(graph, runtime, kernels)
    ops, best = _search(graph, old)
    new = plan(reordered(graph, ops), runtime, kernels)
    if new.size >= old.size:
        return None
    return Order(ops, old.size, new.size, old.lower_bound, new.lower_bound, best)


def work(graph: Graph, planned: Plan) -> Work:
    """The main subgraph as far as its order matters to the runtime that *planned* is of."""
    if planned.runtime != "litert":
        return work_of(graph.main, planned, {}, holds=False)
    from pytest_edgebudget.graph.memory_litert import shared_memory

    return work_of(graph.main, planned, shared_memory(graph), holds=True)


def _search(graph: Graph, old: Plan) -> tuple[tuple[int, ...], bool]:
    """The best order that was found, part by part, and whether none has a smaller live set."""
    whole = work(graph, old)
    parts = list(blocks(whole, {n for n, op in enumerate(graph.ops) if is_fixed(op, graph.main)}))
    peaks = _peaks(parts, old)
    held = [before for before, _ in whole.bytes_in_use(range(len(graph.ops)))]
    floor = max(
        (peak for part, peak in zip(parts, peaks, strict=True) if len(part) == 1), default=0
    )
    best = True
    for number in sorted(range(len(parts)), key=lambda number: -peaks[number]):
        part, peak = parts[number], peaks[number]
        if peak <= floor:
            break
        block = Block(whole, part, range(part[0]), held[part[0]])
        found, complete = search(block, floor, peak)
        best = best and complete
        floor = max(floor, found.peak if found else peak)
        parts[number] = found.ops if found else part
    return tuple(op for part in parts for op in part), best


def _peaks(parts: Sequence[Sequence[int]], old: Plan) -> list[int]:
    """The most bytes in use in each part, subgraphs included."""
    owner = {op: number for number, part in enumerate(parts) for op in part}
    peaks, now = [0] * len(parts), 0
    for step, live in zip(old.steps, old.live, strict=True):
        now = owner[step.op] if step.subgraph == 0 else now
        peaks[now] = max(peaks[now], live)
    return peaks


def reordered(graph: Graph, ops: Sequence[int]) -> Graph:
    """The same graph with the ops of its main subgraph in another order."""
    main = replace(graph.main, ops=tuple(graph.main.ops[number] for number in ops))
    return replace(graph, subgraphs=(main, *graph.subgraphs[1:]))


def is_fixed(op: Op, subgraph: Subgraph) -> bool:
    """Whether nothing may move across *op*."""
    if op.custom or op.subgraphs or op.kind in _STATEFUL:
        return True
    named = (subgraph.tensors[index] for index in (*op.inputs, *op.outputs) if index >= 0)
    return any(t.variable or t.dtype in ("resource", "variant") for t in named)
