"""What each layer costs on paper: arithmetic, parameters, bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import repeat

from pytest_edgebudget.graph.batch import with_batch_of_one
from pytest_edgebudget.graph.claims import Claims
from pytest_edgebudget.graph.ir import Graph, Op, Subgraph
from pytest_edgebudget.graph.work import NOTHING, Counter, Work
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
        macs_by_kind: the same multiply-accumulates, see `macs.KINDS`.
        operations: all other arithmetic, see `operations`; None as for *macs*.
        read, written: bytes that the op moves, see `traffic`; None as for *macs*.
        stored: *weight_bytes* by element type.
        shape, dtype: of the first output, for a batch of one; -1 where a size is
            dynamic, None where nothing is known.
        subgraph, op: indices: where in the graph it is.
    """

    name: str
    kind: str
    macs: int | None
    parameters: int
    weight_bytes: int
    macs_by_kind: Mapping[str, int] = field(default_factory=dict)
    operations: int | None = 0
    read: int | None = 0
    written: int | None = 0
    stored: Mapping[str, int] = field(default_factory=dict)
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    subgraph: int = 0
    op: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """
    A model as a whole: sums of what is known.

    *uncounted*: how many ops have something that cannot be counted; where there
    is one, *macs*, *operations*, *read* and *written* are lower bounds.
    """

    macs: int
    macs_by_kind: Mapping[str, int]
    operations: int
    read: int
    written: int
    parameters: int
    stored: Mapping[str, int]
    uncounted: int


def layer_costs(graph: Graph) -> tuple[LayerCost, ...]:
    """
    The cost of each op: of the main subgraph, then of the others.

    A dynamic batch counts as a batch of one (see `batch`). Ops of other subgraphs
    have no arithmetic and no traffic of their own: those are counted at the op
    that calls them.
    """
    claims = Claims(graph.format)
    counter = Counter(graph)
    costs: list[LayerCost] = []
    for number, subgraph in enumerate(graph.subgraphs):
        sized = with_batch_of_one(subgraph, graph.format)
        works = repeat(NOTHING) if number else counter.works(sized)
        items = zip(sized.ops, works, claims.of(subgraph), strict=False)
        for position, (op, work, (parameters, stored)) in enumerate(items):
            costs.append(_cost(number, position, op, sized, work, parameters, stored))
    return tuple(costs)


def _cost(
    number: int,
    position: int,
    op: Op,
    sized: Subgraph,
    work: Work,
    parameters: int,
    stored: Mapping[str, int],
) -> LayerCost:
    output = sized.tensors[op.outputs[0]] if op.outputs and op.outputs[0] >= 0 else None
    return LayerCost(
        name=op.name.split(";")[0],
        kind=op.kind,
        macs=None if work.macs is None else sum(work.macs.values()),
        parameters=parameters,
        weight_bytes=sum(stored.values()),
        macs_by_kind=work.macs or {},
        operations=work.operations,
        read=work.read,
        written=work.written,
        stored=stored,
        shape=output.shape if output else None,
        dtype=output.dtype if output else "",
        subgraph=number,
        op=position,
    )


def totals(costs: Iterable[LayerCost]) -> Totals:
    """The sums of all layers."""
    macs: dict[str, int] = {}
    stored: dict[str, int] = {}
    costs = tuple(costs)
    for cost in costs:
        for kind, count in cost.macs_by_kind.items():
            macs[kind] = macs.get(kind, 0) + count
        for dtype, size in cost.stored.items():
            stored[dtype] = stored.get(dtype, 0) + size
    return Totals(
        macs=sum(macs.values()),
        macs_by_kind=macs,
        operations=sum(cost.operations or 0 for cost in costs),
        read=sum(cost.read or 0 for cost in costs),
        written=sum(cost.written or 0 for cost in costs),
        parameters=sum(cost.parameters for cost in costs),
        stored=stored,
        uncounted=sum(
            None in (cost.macs, cost.operations, cost.read, cost.written) for cost in costs
        ),
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
