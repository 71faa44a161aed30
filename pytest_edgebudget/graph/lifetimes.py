"""
What is in use when: each tensor of each subgraph, in one order of execution.

Time is counted in moments. Each op is a moment, and so is entering a subgraph,
where its inputs are filled: then they must lie apart from one another even if
no op ever reads them. This is how TensorFlow Lite Micro counts
(micro_allocation_info.cc, AllocationInfoBuilder::MarkAllocationLifetimes).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from pytest_edgebudget.graph.arena import Buffer, Step
from pytest_edgebudget.graph.ir import Graph, Op

Span = tuple[int, int]
"""The first and the last moment of use, both included."""

NEVER: Span = (-1, -1)
"""The span of a tensor that no executed op, input or output names."""

MAX_STEPS = 20_000
"""Executed ops from which on no subgraph is entered again: calls may multiply without end."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """
    Who lives when.

    Attributes:
        steps: the ops in the order of execution; an op that calls subgraphs
            stands before their ops, and lasts until their end.
        moments: the moment of each step, ascending.
        tensors: the span of each tensor, by subgraph.
        ops: the span of each executed op, by (subgraph, op): from its first
            execution to the end of its last.
        complete: whether all calls were followed (`MAX_STEPS`); otherwise a
            subgraph that is called again was left out.
    """

    steps: tuple[Step, ...]
    moments: tuple[int, ...]
    tensors: tuple[tuple[Span, ...], ...]
    ops: Mapping[tuple[int, int], Span]
    complete: bool

    def in_steps(self, span: Span) -> Span:
        """
        The first and the last step within *span*.

        The last comes before the first where no op runs within *span*: the
        tensor is filled, and never read.
        """
        return bisect_left(self.moments, span[0]), bisect_right(self.moments, span[1]) - 1


def lifetimes(graph: Graph) -> Lifetimes:
    """
    Walk through the main subgraph and all that it calls.

    An input lives from the moment when its subgraph is entered, another tensor
    from the first op that writes it; all to the last op that names them, and
    outputs to the end of their subgraph. A subgraph that is called twice keeps
    its tensors from the first call to the last.
    """
    walk = _Walk(graph)
    walk.enter(0)
    return Lifetimes(
        steps=tuple(walk.steps),
        moments=tuple(walk.moments),
        tensors=tuple(
            tuple(zip(first, last, strict=True))
            for first, last in zip(walk.first, walk.last, strict=True)
        ),
        ops=walk.ops,
        complete=walk.complete,
    )


def live(buffers: Iterable[Buffer], steps: int) -> tuple[int, ...]:
    """Bytes in use at each step: the sizes of the buffers that are alive."""
    return _sums(((buffer.size, (buffer.first, buffer.last)) for buffer in buffers), steps)


def lower_bound(sizes: Iterable[tuple[int, Span]]) -> int:
    """
    The most bytes in use at any moment: no placement in this order needs less.

    *sizes*: bytes and span in moments. It may be above the largest of `live`,
    where tensors that no step uses lie side by side.
    """
    shifted = [(size, (first + 1, last + 1)) for size, (first, last) in sizes]  # NEVER is 0
    return max(_sums(shifted, max((last + 1 for _, (_, last) in shifted), default=0)), default=0)


def _sums(sizes: Iterable[tuple[int, Span]], count: int) -> tuple[int, ...]:
    changes = [0] * (count + 1)
    for size, (first, last) in sizes:
        if first <= last:
            changes[first] += size
            changes[last + 1] -= size
    return tuple(accumulate(changes[:-1]))


class _Walk:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.now = 0
        self.steps: list[Step] = []
        self.moments: list[int] = []
        self.first = [[-1] * len(sub.tensors) for sub in graph.subgraphs]
        self.last = [[-1] * len(sub.tensors) for sub in graph.subgraphs]
        self.ops: dict[tuple[int, int], Span] = {}
        self.entered: set[int] = set()
        self.complete = True

    def enter(self, number: int) -> None:
        self.entered.add(number)
        subgraph = self.graph.subgraphs[number]
        self._create(number, subgraph.inputs)
        self._use(number, subgraph.inputs)
        for index, op in enumerate(subgraph.ops):
            self._run(number, index, op)
        self._create(number, subgraph.outputs)
        self._use(number, subgraph.outputs)

    def _run(self, number: int, index: int, op: Op) -> None:
        self.now += 1
        start = self.now
        self.steps.append(Step(number, index))
        self.moments.append(start)
        self._create(number, op.outputs)
        for callee in op.subgraphs:
            self._call(callee)
        self._use(number, op.inputs)
        self._use(number, op.outputs)
        self.ops[number, index] = self.ops.get((number, index), (start, 0))[0], self.now

    def _call(self, number: int) -> None:
        if number in self.entered and len(self.steps) > MAX_STEPS:
            self.complete = False
            return
        self.now += 1
        self.enter(number)

    def _create(self, number: int, indices: Iterable[int]) -> None:
        first = self.first[number]
        for index in indices:
            if index >= 0 > first[index]:
                first[index] = self.now

    def _use(self, number: int, indices: Iterable[int]) -> None:
        last = self.last[number]
        for index in indices:
            if index >= 0:
                last[index] = self.now
