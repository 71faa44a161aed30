"""Who makes and who uses each tensor of a subgraph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_edgebudget.graph.ir import Graph, Op, Subgraph


@dataclass(frozen=True, slots=True)
class Links:
    """
    The wiring of one subgraph, in indices of its tensors and ops.

    Attributes:
        subgraph: the subgraph itself.
        producers: the op that makes a tensor; inputs and constants have none.
        consumers: the ops that use a tensor, each once, in the order of
            execution; a tensor that no op uses is not in it.
        kept: tensors that something outside the ops needs: the subgraph's
            outputs, and in .onnx what the graphs inside it use of it.
    """

    subgraph: Subgraph
    producers: Mapping[int, int]
    consumers: Mapping[int, tuple[int, ...]]
    kept: frozenset[int]

    def producer(self, tensor: int) -> Op | None:
        """The op that makes *tensor*."""
        index = self.producers.get(tensor)
        return None if index is None else self.subgraph.ops[index]

    def only_consumer(self, tensor: int) -> Op | None:
        """The op that alone uses *tensor*; None when others do, or nobody, or it is kept."""
        users = self.consumers.get(tensor, ())
        return self.subgraph.ops[users[0]] if len(users) == 1 and tensor not in self.kept else None

    def used(self, tensor: int) -> bool:
        """Whether an op uses *tensor*, or something outside needs it."""
        return tensor in self.consumers or tensor in self.kept


def links(graph: Graph) -> tuple[Links, ...]:
    """The wiring of each subgraph, in the graph's order. Linear in ops and tensors."""
    captured = _captured(graph)
    return tuple(_links(sub, captured) for sub in graph.subgraphs)


def _links(subgraph: Subgraph, captured: frozenset[str]) -> Links:
    producers: dict[int, int] = {}
    users: dict[int, list[int]] = {}
    for number, op in enumerate(subgraph.ops):
        for index in op.inputs:
            found = users.setdefault(index, [])
            if not found or found[-1] != number:
                found.append(number)
        for index in op.outputs:
            producers.setdefault(index, number)
    for known in (producers, users):
        known.pop(-1, None)  # an input or output that is left out
    inside = {i for i, t in enumerate(subgraph.tensors) if t.name in captured} if captured else ()
    return Links(
        subgraph,
        producers,
        {index: tuple(found) for index, found in users.items()},
        frozenset(subgraph.outputs).union(inside),
    )


def _captured(graph: Graph) -> frozenset[str]:
    """Names that inner graphs of an .onnx use, and do not make themselves."""
    if graph.format != "onnx":
        return frozenset()
    names: set[str] = set()
    for sub in graph.subgraphs[1:]:
        made = {*sub.inputs, *(index for op in sub.ops for index in op.outputs)}
        names.update(t.name for i, t in enumerate(sub.tensors) if i not in made)
    return frozenset(names)
