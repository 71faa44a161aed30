"""Which tensors of an ONNX graph are quantized: what Quantize/DequantizeLinear say of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pytest_edgebudget.graph.ir import Op, Quantization, Subgraph, Tensor
from pytest_edgebudget.graph.values import integers, numbers


def with_quantization(subgraph: Subgraph) -> Subgraph:
    """The same graph, with the scales that are constants on the quantized tensors."""
    tensors = list(subgraph.tensors)
    for index, op in _quantized(subgraph):
        tensor = tensors[index]
        if tensor.quantization is None:
            quantization = _read(op, subgraph.tensors, len(tensor.shape or ()))
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


def _read(op: Op, tensors: tuple[Tensor, ...], rank: int) -> Quantization | None:
    inputs = [tensors[i] if i >= 0 else None for i in op.inputs]
    scales = numbers(inputs[1])
    if not scales:
        return None
    zero_points = integers(inputs[2], limit=len(scales)) if len(inputs) > 2 else None
    block = op.attributes.get("block_size")
    axis = _axis(op, rank)
    return Quantization(
        scales=scales,
        zero_points=zero_points or (0,) * len(scales),
        axis=axis if len(scales) > 1 else None,
        dimension=axis or 0,
        block_size=block if isinstance(block, int) and block > 0 else None,
    )


def _axis(op: Op, rank: int) -> int | None:
    """The axis of per-channel scales, from 0; 1 where the op does not say."""
    axis = op.attributes.get("axis", 1)
    if not isinstance(axis, int):
        return None
    return axis + rank if axis < 0 else axis
