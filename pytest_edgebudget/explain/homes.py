"""Which buffer each tensor lies in, also where tensors share one."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.arena import Buffer, Plan
from pytest_edgebudget.graph.ir import Op

Key = tuple[int, int]
"""Subgraph and tensor."""


class Homes:
    """
    The buffers of a plan, seen from the ops.

    An output without a buffer of its own was written over an input: in the
    plan, both lie in the buffer of the first.
    """

    def __init__(self, graph: Graph, plan: Plan) -> None:
        self._graph = graph
        self._plan = plan
        self._of: dict[Key, Buffer] = {
            (a.buffer.subgraph, a.buffer.tensor): a.buffer
            for a in plan.allocations
            if not a.buffer.scratch
        }
        self._writers: dict[Buffer, list[int]] = {}
        for step in range(len(plan.steps)):
            for buffer in self._written(step):
                self._writers.setdefault(buffer, []).append(step)

    def role(self, buffer: Buffer, step: int) -> str:
        """What the op at *step* does with a buffer: "written", "read", "kept" or "scratch"."""
        if buffer.scratch:
            return "scratch"
        subgraph, op = self._op(step)
        if any(self._of.get((subgraph, index)) == buffer for index in op.outputs):
            return "written"
        if any(self._of.get((subgraph, index)) == buffer for index in op.inputs):
            return "read"
        return "kept"

    def writer(self, buffer: Buffer, step: int) -> int | None:
        """The last step up to *step* that wrote the buffer; None: an input of the model."""
        before = [writer for writer in self._writers.get(buffer, ()) if writer <= step]
        return before[-1] if before else None

    def _op(self, step: int) -> tuple[int, Op]:
        where = self._plan.steps[step]
        return where.subgraph, self._graph.subgraphs[where.subgraph].ops[where.op]

    def _written(self, step: int) -> Iterator[Buffer]:
        subgraph, op = self._op(step)
        for index in op.outputs:
            if index >= 0 and (subgraph, index) not in self._of:
                self._share(subgraph, op, index, step)
            if (subgraph, index) in self._of:
                yield self._of[subgraph, index]

    def _share(self, subgraph: int, op: Op, output: int, step: int) -> None:
        inputs = (self._of.get((subgraph, index)) for index in op.inputs)
        lasting = [buffer for buffer in inputs if buffer and buffer.last >= step]
        if lasting:
            self._of[subgraph, output] = max(lasting, key=lambda buffer: buffer.last)
