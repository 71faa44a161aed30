"""What each layer costs on paper: multiply-accumulates, parameters, bytes of weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, repeat

from pytest_edgebudget.graph.constants import (
    dynamic_scales,
    is_dynamic_scale,
    is_parameter,
    origins,
    used,
)
from pytest_edgebudget.graph.dtypes import MAX_COUNT
from pytest_edgebudget.graph.ir import Graph, Op, Subgraph, Tensor
from pytest_edgebudget.graph.macs_calls import Counter
from pytest_edgebudget.types import Layer


@dataclass(frozen=True, slots=True)
class LayerCost:
    """
    One op.

    Attributes:
        name: for people: the op's name, without the names that it was fused with.
        kind: the format's own name of the op.
        macs: multiply-accumulates of one inference; None when they cannot be
            counted (a dynamic shape, an op that is not known).
        parameters: elements of weights and biases that this op is first to use.
        weight_bytes: bytes in the file of all constants that it is first to use.
    """

    name: str
    kind: str
    macs: int | None
    parameters: int
    weight_bytes: int


def layer_costs(graph: Graph) -> tuple[LayerCost, ...]:
    """
    The cost of each op: of the main subgraph, then of the others.

    A dynamic batch counts as a batch of one (see `batch`). Ops of other subgraphs
    have no MACs of their own: those are counted at the op that calls them.
    """
    claims = _Claims(graph.format)
    macs = chain(Counter(graph).main(), repeat(0))
    ops = ((op, cost) for sub in graph.subgraphs for op, cost in claims.of(sub))
    return tuple(
        LayerCost(op.name.split(";")[0], op.kind, count, parameters, stored)
        for (op, (parameters, stored)), count in zip(ops, macs, strict=False)
    )


def largest(costs: Iterable[LayerCost], attribute: str) -> tuple[Layer, ...]:
    """The layers with a share of *attribute* (macs, parameters, weight_bytes), largest first."""
    layers = (Layer(cost.name, cost.kind, getattr(cost, attribute) or 0) for cost in costs)
    return tuple(sorted((la for la in layers if la.value), key=lambda la: -la.value))


def bytes_by_layer(graph: Graph) -> tuple[Layer, ...]:
    """
    Where the bytes of the file (and its external data) are, largest first.

    Constants belong to the first op that uses them; names, quantization
    parameters, options and metadata are the layer ``(structure)``.
    """
    layers = largest(layer_costs(graph), "weight_bytes")
    rest = graph.size + graph.external_size - sum(layer.value for layer in layers)
    structure = Layer("(structure)", "", max(rest, 0))
    return tuple(sorted((*layers, structure), key=lambda layer: -layer.value))


class _Claims:
    """
    Gives each constant to the first op that uses it.

    The readers give tensors of one buffer one view: its identity is the
    constant's.
    """

    def __init__(self, format_: str) -> None:
        self._format = format_
        self._stored: set[int] = set()
        self._learnt: set[int] = set()

    def of(self, subgraph: Subgraph) -> Iterator[tuple[Op, tuple[int, int]]]:
        """Each op with its parameters and bytes."""
        known, scales = origins(subgraph), dynamic_scales(subgraph)
        for op in subgraph.ops:
            yield op, self._claim(op, subgraph.tensors, known, scales)

    def _claim(
        self,
        op: Op,
        tensors: tuple[Tensor, ...],
        known: Mapping[int, int],
        scales: frozenset[int],
    ) -> tuple[int, int]:
        parameters = stored = 0
        for position, index in used(op, known):
            tensor = tensors[index]
            if id(tensor.data) not in self._stored:
                self._stored.add(id(tensor.data))
                stored += tensor.stored_bytes
            learnt = is_parameter(op, position, tensor, self._format)
            if learnt and not is_dynamic_scale(op, position, scales):
                parameters += self._count(tensor)
        return parameters, stored

    def _count(self, tensor: Tensor) -> int:
        if id(tensor.data) in self._learnt:
            return 0
        self._learnt.add(id(tensor.data))
        elements = tensor.elements or 0
        return elements if elements < MAX_COUNT else 0
