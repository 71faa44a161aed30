"""Which buffer each tensor lies in, also where tensors share one."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.arena import Buffer, Plan
from pytest_edgebudget.graph.ir import Op
from pytest_edgebudget.graph.operations import is_elementwise
from pytest_edgebudget.graph.traffic import is_view, tensor_bytes

Key = tuple[int, int]
"""Subgraph and tensor."""

_MOST = 3_000_000
"""Ops times buffers that are compared; a larger model's shared buffers stay without names."""

_OVER = frozenset({"LOG_SOFTMAX", "LogSoftmax", "SOFTMAX", "Softmax"})


class Homes:
    """
    The buffers of a plan, seen from the ops.

    A plan names the first tensor of each buffer. An output without a buffer of
    its own was written over an input, or into a buffer whose tensors nobody
    needs any more: which one follows from the sizes and from who reads what.
    """

    def __init__(self, graph: Graph, plan: Plan) -> None:
        self._graph = graph
        self._plan = plan
        self._of: dict[Key, Buffer] = {
            (a.buffer.subgraph, a.buffer.tensor): a.buffer
            for a in plan.allocations
            if not a.buffer.scratch
        }
        self._needed = _last_uses(graph, plan)
        self._busy: dict[Buffer, int] = {}  # to which step
        self._writers: dict[Buffer, list[int]] = {}
        self._search = len(plan.steps) * len(plan.allocations) <= _MOST
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
            key = subgraph, index
            home = self._of.get(key) or self._shared(op, key, step)
            if index >= 0 and home:
                self._of[key] = home
                self._busy[home] = max(self._busy.get(home, -1), self._needed.get(key, step))
                yield home

    def _shared(self, op: Op, key: Key, step: int) -> Buffer | None:
        subgraph, index = key
        tensor = self._graph.subgraphs[subgraph].tensors[index]
        if tensor.constant:
            return None
        size = tensor_bytes(tensor)
        inputs = [b for i in op.inputs if (b := self._of.get((subgraph, i))) and b.last >= step]
        over = [b for b in inputs if self._busy.get(b, -1) <= step or is_view(op.kind)]
        same = [buffer for buffer in over if buffer.size == size]
        if same and (is_elementwise(op.kind) or is_view(op.kind) or op.kind in _OVER):
            return max(same, key=lambda buffer: buffer.last)
        return self._free(subgraph, size, step) or max(
            over, key=lambda buffer: buffer.last, default=None
        )

    def _free(self, subgraph: int, size: int | None, step: int) -> Buffer | None:
        """A buffer of that size that is held at *step*, though its tensors are done with."""
        if not self._search:
            return None
        held = [
            buffer
            for buffer, until in self._busy.items()
            if until < step <= buffer.last and buffer.size == size and buffer.subgraph == subgraph
        ]
        return max(held, key=lambda buffer: self._busy[buffer], default=None)


def _last_uses(graph: Graph, plan: Plan) -> dict[Key, int]:
    """The last step that reads or writes a tensor; the end for outputs of a subgraph."""
    last: dict[Key, int] = {}
    for number, step in enumerate(plan.steps):
        op = graph.subgraphs[step.subgraph].ops[step.op]
        for index in (*op.inputs, *op.outputs):
            last[step.subgraph, index] = number
    for number, subgraph in enumerate(graph.subgraphs):
        for index in subgraph.outputs:
            last[number, index] = len(plan.steps)
    return last
