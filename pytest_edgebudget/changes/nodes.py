"""The layers of a graph as they are compared: what is left of an op when files are rewritten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.constants import origins, passes_on, used
from pytest_edgebudget.graph.ir import Op, Subgraph

ALIKE = {
    "QLinearConv": "Conv",
    "ConvInteger": "Conv",
    "QLinearMatMul": "MatMul",
    "MatMulInteger": "MatMul",
    "com.microsoft:DynamicQuantizeMatMul": "MatMul",
    "com.microsoft:MatMulIntegerToFloat": "MatMul",
    "com.microsoft:MatMulNBits": "MatMul",
    "com.microsoft:QGemm": "Gemm",
    "com.microsoft:QLinearAdd": "Add",
    "com.microsoft:QLinearMul": "Mul",
    "com.microsoft:QLinearAveragePool": "AveragePool",
    "com.microsoft:QLinearGlobalAveragePool": "GlobalAveragePool",
}
"""Kinds that quantizing gives another name; .tflite keeps its own."""

ADDED_BY_QUANTIZERS = ("_quant", "_quantized")

Where = tuple[int, int]
"""Subgraph and op, as indices."""
Shape = tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """
    One op, as it is compared with another version of itself.

    Attributes:
        where: its place in the graph.
        name: for people, without what it was fused with.
        kind: the format's own name; *alike* is the same for quantized twins.
        weights: the shapes of the constants that it computes with, largest first.
        shape: of its first output; None where it is not known.
        dtype: of its largest constant; "" without one.
        source: *alike* of the op that makes its first input that is no constant.
    """

    where: Where
    name: str
    kind: str
    alike: str
    weights: tuple[Shape, ...]
    shape: Shape
    dtype: str
    source: str

    @property
    def structure(self) -> tuple[object, ...]:
        """What two layers have in common that only differ in their names."""
        return self.alike, self.weights, self.shape

    @property
    def named(self) -> tuple[str, str]:
        """Its name and kind as both versions would have them."""
        return plain_name(self.name), self.alike


def plain_name(name: str) -> str:
    """A name without what a quantizer appends to it."""
    for ending in ADDED_BY_QUANTIZERS:
        name = name.removesuffix(ending)
    return name


def nodes(graph: Graph) -> tuple[tuple[Node, ...], ...]:
    """The ops of each subgraph, in the order of execution."""
    return tuple(tuple(_nodes(number, subgraph)) for number, subgraph in enumerate(graph.subgraphs))


def _nodes(number: int, subgraph: Subgraph) -> Iterator[Node]:
    known = origins(subgraph)
    makers = {tensor: op for op in subgraph.ops for tensor in op.outputs}
    for place, op in enumerate(subgraph.ops):
        # What only rewrites a constant (a DEQUANTIZE of weights) has none of its own.
        found = [] if passes_on(op, known) else [i for _, i in used(op, known)]
        constants = sorted(
            (subgraph.tensors[index] for index in found), key=lambda each: -(each.elements or 0)
        )
        output = next((i for i in op.outputs if i >= 0), -1)
        yield Node(
            where=(number, place),
            name=op.name.split(";")[0],
            kind=op.kind,
            alike=ALIKE.get(op.kind, op.kind),
            weights=tuple(each.shape for each in constants),
            shape=subgraph.tensors[output].shape if output >= 0 else None,
            dtype=constants[0].dtype if constants else "",
            source=_source(op, makers, known),
        )


def _source(op: Op, makers: Mapping[int, Op], known: Mapping[int, int]) -> str:
    for tensor in op.inputs:
        if tensor in makers and tensor not in known:
            kind = makers[tensor].kind
            return ALIKE.get(kind, kind)
    return ""
