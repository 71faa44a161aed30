"""Which constants an op computes with, and which of them are parameters."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_edgebudget.graph.dtypes import SMALL_INTEGERS, is_float
from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor

_PASS_ON = frozenset(
    """
    CAST DENSIFY DEQUANTIZE EXPAND_DIMS QUANTIZE RESHAPE SQUEEZE TRANSPOSE
    Cast DequantizeLinear Identity QuantizeLinear Reshape Squeeze Transpose Unsqueeze
    com.microsoft:DequantizeLinear com.microsoft:QuantizeLinear
    """.split()  # noqa: SIM905
)
"""Ops that only rewrite their first input: a constant behind them is their user's."""

_WEIGHTS: Mapping[str, frozenset[int]] = {
    "CONV_2D": frozenset({1, 2}),
    "CONV_3D": frozenset({1, 2}),
    "CONV_3D_TRANSPOSE": frozenset({1, 3}),
    "DEPTHWISE_CONV_2D": frozenset({1, 2}),
    "FULLY_CONNECTED": frozenset({1, 2}),
    "TRANSPOSE_CONV": frozenset({1, 3}),
    "Conv": frozenset({1, 2}),
    "ConvInteger": frozenset({1}),
    "ConvTranspose": frozenset({1, 2}),
    "Gemm": frozenset({0, 1, 2}),
    "MatMul": frozenset({0, 1}),
    "MatMulInteger": frozenset({0, 1}),
    "QLinearConv": frozenset({3, 8}),
    "QLinearMatMul": frozenset({0, 3}),
    "com.microsoft:DynamicQuantizeMatMul": frozenset({1, 4}),
    "com.microsoft:MatMulIntegerToFloat": frozenset({1, 6}),
    "com.microsoft:MatMulNBits": frozenset({1, 5}),
    "com.microsoft:QGemm": frozenset({3, 6}),
    "EMBEDDING_LOOKUP": frozenset({1}),
    "EMBEDDING_LOOKUP_SPARSE": frozenset({4}),
    "com.microsoft:GatherBlockQuantized": frozenset({0}),
}
"""Where weights, biases and embeddings are, whatever their type; all else is no parameter."""

_SETTINGS: Mapping[str, frozenset[int]] = {
    "Clip": frozenset({1, 2}),
    "Dropout": frozenset({1, 2}),
    "Pad": frozenset({1, 2, 3}),
    "Resize": frozenset({1, 2, 3}),
    "Upsample": frozenset({1}),
    "LSTM": frozenset({4, 5, 6}),
    "GRU": frozenset({4, 5}),
    "RNN": frozenset({4, 5}),
    **dict.fromkeys(
        (
            "QuantizeLinear",
            "DequantizeLinear",
            "com.microsoft:QuantizeLinear",
            "com.microsoft:DequantizeLinear",
        ),
        frozenset({1, 2}),
    ),
    **dict.fromkeys(
        ("com.microsoft:QLinearAdd", "com.microsoft:QLinearMul"), frozenset({1, 2, 4, 5, 6, 7})
    ),
    "com.microsoft:DynamicQuantizeLSTM": frozenset({4, 5, 6, 8, 9, 10, 11}),
}
"""ONNX: inputs that are settings, scales or initial states, though they are floats."""

_FOUR = frozenset({1, 2, 3, 4})


def origins(subgraph: Subgraph) -> Mapping[int, int]:
    """Tensor index to the index of the constant that it is, or is a rewriting of."""
    found = {i: i for i, tensor in enumerate(subgraph.tensors) if tensor.constant}
    for op in subgraph.ops:
        if passes_on(op, found) and op.outputs[0] not in found:
            found[op.outputs[0]] = found[op.inputs[0]]
    return found


def passes_on(op: Op, known: Mapping[int, int]) -> bool:
    """Whether *op* only rewrites a constant."""
    return op.kind in _PASS_ON and bool(op.inputs and op.outputs) and op.inputs[0] in known


def used(op: Op, known: Mapping[int, int]) -> list[tuple[int, int]]:
    """The constants of *op*: input position, and tensor index of the constant."""
    rewritten = 0 if passes_on(op, known) else -1
    return [
        (position, known[index])
        for position, index in enumerate(op.inputs)
        if index in known and position != rewritten
    ]


def is_parameter(op: Op, position: int, tensor: Tensor, format_: str) -> bool:
    """
    Whether the constant at *position* was learnt, as far as the file shows.

    Weights, biases and embeddings of known ops; elsewhere floats and quantized
    numbers of more than one element, and tables of small integers that are looked
    up. Shapes, axes, paddings, scales and single numbers (a rescaling, a clipping
    value) are not.
    """
    if op.kind in _WEIGHTS:
        return position in _WEIGHTS[op.kind]
    if tensor.elements == 1 or (format_ == "onnx" and position in _SETTINGS.get(op.kind, ())):
        return False
    if op.kind.startswith("com.microsoft:QLinear") and op.kind not in _SETTINGS:
        return position not in _FOUR
    learnt = is_float(tensor.dtype) or tensor.quantization is not None
    # A table that is looked up: small integers are embeddings, int32 and int64 sizes or indices.
    table = op.kind in ("GATHER", "Gather") and position == 0
    return learnt or (table and tensor.dtype in SMALL_INTEGERS)


def is_dynamic_scale(op: Op, position: int, dynamic: frozenset[int]) -> bool:
    """
    Whether the constant at *position* is a scale of dynamic quantization.

    onnxruntime multiplies the scale of the weights with the scale that
    DynamicQuantizeLinear found (*dynamic*: the tensors that it made).
    """
    return op.kind == "Mul" and any(
        other in dynamic for i, other in enumerate(op.inputs) if i != position
    )


def dynamic_scales(subgraph: Subgraph) -> frozenset[int]:
    """The tensors that hold scales found by DynamicQuantizeLinear."""
    ops = (op for op in subgraph.ops if op.kind == "DynamicQuantizeLinear")
    return frozenset(op.outputs[1] for op in ops if len(op.outputs) > 1)
