"""Which constants are weights, and of what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor

POSITIONS = {
    "CONV_2D": (1,),
    "CONV_3D": (1,),
    "DEPTHWISE_CONV_2D": (1,),
    "TRANSPOSE_CONV": (1,),
    "FULLY_CONNECTED": (1,),
    "BATCH_MATMUL": (0, 1),
    "EMBEDDING_LOOKUP": (1,),
    "Conv": (1,),
    "ConvTranspose": (1,),
    "Gemm": (0, 1),
    "MatMul": (0, 1),
    "ConvInteger": (1,),
    "MatMulInteger": (0, 1),
    "DynamicQuantizeMatMul": (1,),
    "QLinearConv": (3,),
    "QLinearMatMul": (0, 3),
    "QGemm": (3,),
}
"""Where ops of either format keep their weights among their inputs."""

TRANSPARENT = {
    *("DEQUANTIZE", "DequantizeLinear", "Cast", "Identity"),
    *("TRANSPOSE", "Transpose", "RESHAPE", "Reshape"),
}
"""Ops that a weight passes through on its way from the file."""


@dataclass(frozen=True, slots=True)
class Weight:
    """
    A constant that *op* multiplies with.

    *direct*: the op reads it as it is stored; otherwise it is dequantized first.
    """

    op: Op
    tensor: Tensor
    direct: bool


def weights(graph: Graph) -> tuple[Weight, ...]:
    """All weights of the main subgraph, in the order of the ops."""
    return tuple(_weights(graph.main))


def _weights(main: Subgraph) -> Iterator[Weight]:
    makers = {output: op for op in main.ops for output in op.outputs}
    for op in main.ops:
        for position in POSITIONS.get(op.kind.removeprefix("com.microsoft:"), ()):
            index = op.inputs[position] if position < len(op.inputs) else -1
            origin = _origin(index, makers)
            if origin >= 0 and main.tensors[origin].constant:
                yield Weight(op, main.tensors[origin], direct=origin == index)


def _origin(index: int, makers: dict[int, Op]) -> int:
    """Where the value at *index* comes from, seen through ops that do not compute."""
    while index in makers and makers[index].kind in TRANSPARENT and makers[index].inputs:
        index = makers[index].inputs[0]
    return index
