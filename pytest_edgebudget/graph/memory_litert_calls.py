"""
The subgraphs that LiteRT plans, and how each is called.

Source: `Prepare` in tflite/kernels/if.cc, while.cc and call_once.cc of LiteRT.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pytest_edgebudget.graph.ir import Graph, Op, Subgraph
from pytest_edgebudget.graph.memory_litert_homes import homes
from pytest_edgebudget.graph.memory_litert_subgraph import Frame, Planned, plan_subgraph
from pytest_edgebudget.graph.memory_sizes import shape_of

_IF, _WHILE, _ONCE = "IF", "WHILE", "CALL_ONCE"


def plan_subgraphs(graph: Graph, kernels: str) -> Mapping[int, Planned]:
    """
    The memory of the main subgraph and of those that it runs, by number, main first.

    A subgraph that is called more than once has one arena.
    """
    planner = _Planner(graph, kernels)
    planner.plan(0, Frame(graph.main.inputs))
    return {number: planner.planned[number] for number in planner.order}


class _Planner:
    def __init__(self, graph: Graph, kernels: str) -> None:
        self.graph, self.kernels = graph, kernels
        self.order: list[int] = []
        self.planned: dict[int, Planned] = {}

    def plan(self, number: int, frame: Frame) -> None:
        """Plan a subgraph, those that it calls first: their outputs may have no size."""
        if number in self.order:
            return
        self.order.append(number)
        subgraph = self.graph.subgraphs[number]
        growing = []
        for index, op in enumerate(subgraph.ops):
            for callee, called in _frames(op, self.graph):
                self.plan(callee, called)
            if self._grows(op):
                growing.append(index)
        frame = replace(frame, growing=tuple(growing))
        self.planned[number] = plan_subgraph(*self._idle(subgraph, frame), self.kernels)

    def _idle(self, subgraph: Subgraph, frame: Frame) -> tuple[Subgraph, Frame]:
        """
        Without the outputs of loops that nobody reads and that the body only hands on.

        They are given up when the loop is prepared: if that is after memory was
        planned, they have their place already.
        """
        idle = _passed_on(subgraph, self.graph)
        if not idle:
            return subgraph, frame
        less = _without(subgraph, idle, len(subgraph.ops))
        stop = min(homes(less, lent=frame.lent, growing=frame.growing).late, default=len(less.ops))
        late = (i for op in subgraph.ops[stop + 1 :] for i in op.outputs if i in idle)
        return _without(subgraph, idle, stop + 1), replace(frame, idle=tuple(late))

    def _grows(self, op: Op) -> bool:
        """Whether the outputs of a call have sizes that only running it tells."""
        if op.kind not in (_IF, _WHILE) or op.custom or len(op.subgraphs) != len(_PAIR):
            return False
        first, second = (self.graph.subgraphs[number] for number in op.subgraphs)
        if op.kind == _WHILE:
            grown = self.planned[op.subgraphs[1]].growing
            return grown or _shapes(second, second.inputs) != _shapes(second, second.outputs)
        grown = any(self.planned[number].growing for number in op.subgraphs)
        return grown or _shapes(first, first.outputs) != _shapes(second, second.outputs)


_PAIR = ("then or condition", "else or body")


def _shapes(subgraph: Subgraph, indices: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Shapes, where a scalar is the same as a vector of one."""
    shapes = (shape_of(subgraph.tensors[index]) for index in indices)
    return [() if shape == (1,) else shape for shape in shapes]


def _frames(op: Op, graph: Graph) -> Iterator[tuple[int, Frame]]:
    """What a call runs, and how; inputs that nobody reads are not kept."""
    if op.custom or op.kind not in (_IF, _WHILE, _ONCE):
        return
    for position, number in enumerate(op.subgraphs):
        subgraph = graph.subgraphs[number]
        if op.kind == _WHILE and position:
            yield number, Frame(subgraph.inputs, lent=subgraph.inputs)
            continue
        used = {index for inner in subgraph.ops for index in inner.inputs} | {*subgraph.outputs}
        kept = tuple(index for index in subgraph.inputs if index in used)
        yield number, Frame(kept, lent=kept if op.kind == _IF else ())


def _passed_on(subgraph: Subgraph, graph: Graph) -> frozenset[int]:
    """Outputs of loops that nobody reads, and that are the same tensor throughout the body."""
    found: set[int] = set()
    for op in subgraph.ops:
        if op.kind == _WHILE and not op.custom and len(op.subgraphs) == len(_PAIR):
            body = graph.subgraphs[op.subgraphs[1]]
            rows = zip(op.outputs, body.inputs, body.outputs, strict=False)
            found |= {index for index, before, after in rows if before == after}
    used = {index for op in subgraph.ops for index in op.inputs} | {*subgraph.outputs}
    return frozenset(found - used)


def _without(subgraph: Subgraph, idle: frozenset[int], stop: int) -> Subgraph:
    """Without the *idle* outputs of the ops before *stop*."""
    ops = tuple(
        replace(op, outputs=tuple(-1 if index in idle else index for index in op.outputs))
        if number < stop and not idle.isdisjoint(op.outputs)
        else op
        for number, op in enumerate(subgraph.ops)
    )
    return replace(subgraph, ops=ops)
