"""Which tensors of an ONNX graph are quantized: what Quantize/DequantizeLinear say of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from pytest_edgebudget.graph.damage import LimitError
from pytest_edgebudget.graph.ir import Op, Quantization, Subgraph, Tensor
from pytest_edgebudget.graph.values import numbers

MOST_SCALES = 2_000_000
"""Scales and zero points of a file that are read; a large model's channels are half of them."""


class Scales:
    """The scales and zero points of a file, each constant read once, however many ops use it."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[memoryview, tuple[float, ...] | None]] = {}
        self._left = MOST_SCALES

    def of(self, tensor: Tensor | None) -> tuple[float, ...] | None:
        """The elements of a constant; None when there are none."""
        if tensor is None or tensor.data is None:
            return None
        key = id(tensor.data)
        if key not in self._known:
            found = numbers(tensor)
            self._known[key] = tensor.data, found  # which keeps its identity
            self._left -= len(found or ())
            if self._left < 0:
                raise LimitError(f"more than {MOST_SCALES:,} scales and zero points")
        return self._known[key][1]


def with_quantization(subgraph: Subgraph, scales: Scales) -> Subgraph:
    """The same graph, with the scales that are constants on the quantized tensors."""
    tensors = list(subgraph.tensors)
    for index, op in _quantized(subgraph):
        tensor = tensors[index]
        if tensor.quantization is None:
            quantization = _read(op, subgraph.tensors, len(tensor.shape or ()), scales)
            tensors[index] = tensor.shaped(tensor.shape, tensor.dtype, quantization)
    return replace(subgraph, tensors=tuple(tensors))


def _quantized(subgraph: Subgraph) -> Iterator[tuple[int, Op]]:
    """Quantized tensors, each with the op that has its scale as second input."""
    for op in subgraph.ops:
        kind = op.kind.removeprefix("com.microsoft:")
        if len(op.inputs) < 2 or not op.outputs:
            continue
        index = {"DequantizeLinear": op.inputs[0], "QuantizeLinear": op.outputs[0]}.get(kind, -1)
        if index >= 0:
            yield index, op


def _read(op: Op, tensors: tuple[Tensor, ...], rank: int, known: Scales) -> Quantization | None:
    inputs = [tensors[i] if i >= 0 else None for i in op.inputs]
    scales = known.of(inputs[1])
    if not scales:
        return None
    points = known.of(inputs[2]) if len(inputs) > 2 else None
    block = op.attributes.get("block_size")
    axis = _axis(op, rank)
    return Quantization(
        scales=scales,
        zero_points=_whole(points, len(scales)) or (0,) * len(scales),
        axis=axis if len(scales) > 1 else None,
        dimension=axis or 0,
        block_size=block if isinstance(block, int) and block > 0 else None,
    )


def _whole(points: tuple[float, ...] | None, count: int) -> tuple[int, ...] | None:
    """Zero points, if they are whole numbers (float8 has none) and as many as the scales."""
    if points is None or len(points) != count or not all(isinstance(n, int) for n in points):
        return None
    return cast("tuple[int, ...]", points)


def _axis(op: Op, rank: int) -> int | None:
    """The axis of per-channel scales, from 0; 1 where the op does not say."""
    axis = op.attributes.get("axis", 1)
    if not isinstance(axis, int):
        return None
    return axis + rank if axis < 0 else axis
