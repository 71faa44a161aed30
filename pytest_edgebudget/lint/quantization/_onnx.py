"""What is quantized in an `.onnx`: QDQ (ops between Quantize and Dequantize) and QOperator."""

from __future__ import annotations

from dataclasses import replace

from pytest_edgebudget.graph.ir import Op, Quantization, Tensor
from pytest_edgebudget.graph.values import numbers
from pytest_edgebudget.lint.links import Links

WITH_KERNEL = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
"""Ops that multiply, and that onnxruntime has integer kernels for."""

STATIC = frozenset({"QLinearConv", "QLinearMatMul", "com.microsoft:QGemm"})
"""Ops on integers by themselves."""

_DEQUANTIZE = frozenset({"DequantizeLinear", "com.microsoft:DequantizeLinear"})
QUANTIZE = frozenset({"QuantizeLinear", "com.microsoft:QuantizeLinear"})
_CONVOLUTIONS = frozenset({"Conv", "ConvTranspose"})
_KERNEL, _SCALE = 3, 4  # inputs of QLinearConv


_VIEWS = frozenset({"Flatten", "MaxPool", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})
"""Ops that onnxruntime moves to the integers' side."""


def dequantized(op: Op, position: int, links: Links) -> Tensor | None:
    """The integers that an input of *op* is made of; None when it is none of integers."""
    index = op.inputs[position] if position < len(op.inputs) else -1
    maker = source(index, links)
    if maker is None or maker.kind not in _DEQUANTIZE or not maker.inputs or maker.inputs[0] < 0:
        return None
    return links.subgraph.tensors[maker.inputs[0]]


def source(index: int, links: Links) -> Op | None:
    """The op that makes a tensor, seen through those that keep all its numbers."""
    maker = links.producer(index)
    for _ in range(_MOST_VIEWS):
        if maker is None or maker.kind not in _VIEWS or not maker.inputs:
            break
        maker = links.producer(maker.inputs[0])
    return maker


_MOST_VIEWS = 16
"""In a row; a file whose names go round in a circle has no end."""


def integer_kernel(op: Op, links: Links) -> Tensor | None:
    """The integer weights of a convolution, with their scales; None for other ops."""
    if op.kind in _CONVOLUTIONS:
        kernel = dequantized(op, 1, links)
        return kernel if kernel is not None and kernel.constant else None
    if op.kind == "QLinearConv" and len(op.inputs) > _SCALE and min(op.inputs[:5]) >= 0:
        tensors = links.subgraph.tensors
        kernel, scales = tensors[op.inputs[_KERNEL]], numbers(tensors[op.inputs[_SCALE]])
        if kernel.constant and scales:
            return replace(kernel, quantization=Quantization(scales, (0,) * len(scales)))
    return None


def on_integers(op: Op, links: Links) -> bool:
    """Whether all inputs that *op* multiplies come from integers."""
    return all(
        dequantized(op, place, links) is not None for place in (0, 1) if place < len(op.inputs)
    )
