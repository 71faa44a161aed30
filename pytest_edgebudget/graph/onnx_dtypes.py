"""
Types of an ONNX graph's intermediate tensors, where the file does not say.

Source: https://onnx.ai/onnx/operators/ (type constraints).
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_edgebudget.graph.ir import Op, Tensor
from pytest_edgebudget.graph.onnx_tensors import DTYPES

_FIXED = {
    **dict.fromkeys(("Shape", "Size", "ArgMax", "ArgMin", "NonZero"), "int64"),
    **dict.fromkeys(("ConvInteger", "MatMulInteger"), "int32"),
    **dict.fromkeys(
        ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Not", "Xor"),
        "bool",
    ),
}

_AS_INPUT = {
    "DequantizeLinear": 1, "QuantizeLinear": 2, "QLinearConv": 7, "QLinearMatMul": 7, "Where": 1,
    "com.microsoft:DequantizeLinear": 1, "com.microsoft:QuantizeLinear": 2,
    "com.microsoft:QGemm": 8,
}  # fmt: skip
"""The input whose type the output has, where that is not the first one."""

_ALIKE = frozenset({"Split", "LSTM", "GRU", "RNN"})
"""Ops all of whose outputs have one type."""

_UNKNOWN = frozenset({"If", "Loop", "Scan", "EyeLike", "RandomNormal"})


def output_dtype(op: Op, position: int, tensors: Sequence[Tensor]) -> str:
    """The type of an output; "" when it does not follow from the inputs."""
    if op.kind in _FIXED:
        return _FIXED[op.kind]
    if op.kind == "Cast":
        to = op.attributes.get("to")
        return DTYPES[to] if isinstance(to, int) and 0 <= to < len(DTYPES) else ""
    if op.kind == "ConstantOfShape":
        value = op.attributes.get("value")
        return value.dtype if isinstance(value, Tensor) else "float32"
    if op.kind == "DynamicQuantizeLinear":
        return ("uint8", "float32", "uint8")[min(position, 2)]
    # Only the first output of most standard ops is sure to follow their inputs.
    source = _AS_INPUT.get(op.kind, 0)
    unsure = op.kind in _UNKNOWN or (op.custom and op.kind not in _AS_INPUT)
    if unsure or (position and op.kind not in _ALIKE):
        return ""
    if op.kind == "QuantizeLinear" and len(op.inputs) == 2:
        return "uint8"
    if source >= len(op.inputs) or op.inputs[source] < 0:
        return ""
    return tensors[op.inputs[source]].dtype
