"""Which constants are weights, and of what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor

TFLITE = {
    "CONV_2D": (1,),
    "CONV_3D": (1,),
    "DEPTHWISE_CONV_2D": (1,),
    "TRANSPOSE_CONV": (1,),
    "FULLY_CONNECTED": (1,),
    "BATCH_MATMUL": (0, 1),
    "EMBEDDING_LOOKUP": (1,),
    "LSTM": tuple(range(1, 9)),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": tuple(range(1, 9)),
    "RNN": (1, 2),
    "UNIDIRECTIONAL_SEQUENCE_RNN": (1, 2),
    "SVDF": (1, 2),
}
ONNX = {
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
    "LSTM": (1, 2),  # in .tflite an op of this name has other inputs
    "GRU": (1, 2),
    "RNN": (1, 2),
    "DynamicQuantizeLSTM": (1, 2),
}
POSITIONS = {"tflite": TFLITE, "onnx": ONNX}
"""Where ops of a format keep their weights among their inputs."""

TRANSPARENT = {
    *("DEQUANTIZE", "DequantizeLinear", "Cast", "Identity"),
    *("TRANSPOSE", "Transpose", "RESHAPE", "Reshape"),
}
"""Ops that a weight passes through on its way from the file."""


@dataclass(frozen=True, slots=True)
class Weight:
    """
    A constant that *op* of *subgraph* multiplies with.

    *direct*: the op reads it as it is stored; otherwise it is dequantized first.
    """

    subgraph: Subgraph
    op: Op
    tensor: Tensor
    direct: bool


def weights(graph: Graph) -> tuple[Weight, ...]:
    """All weights, those of loops and branches too, in the order of the ops."""
    positions = POSITIONS[graph.format]
    return tuple(w for subgraph in graph.subgraphs for w in _weights(subgraph, positions))


def _weights(subgraph: Subgraph, positions: Mapping[str, tuple[int, ...]]) -> Iterator[Weight]:
    makers = {output: op for op in subgraph.ops for output in op.outputs}
    for op in subgraph.ops:
        for position in positions.get(op.kind.removeprefix("com.microsoft:"), ()):
            index = op.inputs[position] if position < len(op.inputs) else -1
            origin = _origin(index, makers)
            if origin >= 0 and subgraph.tensors[origin].constant:
                yield Weight(subgraph, op, subgraph.tensors[origin], direct=origin == index)


def _origin(index: int, makers: dict[int, Op]) -> int:
    """Where the value at *index* comes from, seen through ops that do not compute."""
    while index in makers and makers[index].kind in TRANSPARENT and makers[index].inputs:
        index = makers[index].inputs[0]
    return index
