"""
The subgraphs that LiteRT plans, and how each is called.

Source: `Prepare` in tflite/kernels/if.cc, while.cc and call_once.cc of LiteRT.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pytest_edgebudget.graph.ir import Graph, Op, Subgraph
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
        subgraph = _without_passed_on(subgraph, self.graph)
        frame = replace(frame, growing=tuple(growing))
        self.planned[number] = plan_subgraph(subgraph, frame, self.kernels)

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


def _without_passed_on(subgraph: Subgraph, graph: Graph) -> Subgraph:
    """Without the outputs of loops that nobody reads and that the body only hands on."""
    if not any(op.kind == _WHILE for op in subgraph.ops):
        return subgraph
    used = {index for op in subgraph.ops for index in op.inputs} | {*subgraph.outputs}
    ops = (_without_idle(op, used, graph) if op.kind == _WHILE else op for op in subgraph.ops)
    return replace(subgraph, ops=tuple(ops))


def _without_idle(op: Op, used: set[int], graph: Graph) -> Op:
    if op.custom or len(op.subgraphs) != len(_PAIR):
        return op
    body = graph.subgraphs[op.subgraphs[1]]
    same = {
        i
        for i, pair in enumerate(zip(body.inputs, body.outputs, strict=False))
        if len(set(pair)) == 1
    }
    outputs = (
        -1 if position in same and index not in used else index
        for position, index in enumerate(op.outputs)
    )
    return replace(op, outputs=tuple(outputs))
