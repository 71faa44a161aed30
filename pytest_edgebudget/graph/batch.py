"""
The sizes of a graph when its batch is one.

Many models leave the first dimension of their inputs open. It is taken for the
batch, and the sizes that follow from it are computed; a size that does not
surely follow stays unknown (-1), and with it what depends on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_edgebudget.graph.ir import Graph, Op, Subgraph, Tensor
from pytest_edgebudget.graph.shape_view import Shape
from pytest_edgebudget.graph.values import integers


def open_batch(graph: Graph) -> tuple[Tensor, ...]:
    """The inputs of the main subgraph whose first dimension is dynamic."""
    inputs = (graph.tensors[i] for i in graph.main.inputs)
    return tuple(tensor for tensor in inputs if (tensor.shape or (0,))[0] < 0)


@dataclass(frozen=True, slots=True)
class OpenSizes:
    """The dimensions of an input, from 0, that are dynamic and not its batch."""

    tensor: Tensor
    axes: tuple[int, ...]


def open_sizes(graph: Graph) -> tuple[OpenSizes, ...]:
    """The inputs of the main subgraph with another dynamic dimension than the first."""
    found = []
    for index in graph.main.inputs:
        tensor = graph.tensors[index]
        axes = tuple(i for i, n in enumerate(tensor.shape or ()) if i and n < 0)
        if axes:
            found.append(OpenSizes(tensor, axes))
    return tuple(found)


def with_batch_of_one(subgraph: Subgraph, format_: str) -> Subgraph:
    """The same graph, with a batch of one wherever that decides a size."""
    if not any(-1 in (tensor.shape or ()) for tensor in subgraph.tensors):
        return subgraph
    tensors = list(subgraph.tensors)
    for index in subgraph.inputs:
        shape = tensors[index].shape
        if shape and shape[0] < 0:
            tensors[index] = replace(tensors[index], shape=(1, *shape[1:]))
    fixed = replace(subgraph, tensors=tuple(tensors))
    if format_ != "onnx":
        return _solved(fixed)
    from pytest_edgebudget.graph.shapes import with_shapes  # a .tflite does without

    return with_shapes(fixed)


def _solved(subgraph: Subgraph) -> Subgraph:
    """TensorFlow Lite: the one open size of an output, op by op."""
    tensors = list(subgraph.tensors)
    for op in subgraph.ops:
        for index in op.outputs:
            shape = tensors[index].shape if index >= 0 else None
            if shape is not None and shape.count(-1) == 1:
                size = _open_size(op, shape, tensors)
                known = tuple(size if n < 0 else n for n in shape)
                tensors[index] = replace(tensors[index], shape=known)
    return replace(subgraph, tensors=tuple(tensors))


def _open_size(op: Op, shape: Shape, tensors: Sequence[Tensor]) -> int:
    """The size of the dimension of *shape* that is -1; -1 when it does not follow."""
    rule = _RULES.get(op.kind)
    try:
        return rule(op, shape, tensors) if rule else -1
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return -1  # a damaged file: the op's inputs contradict its output


def _tensor(op: Op, position: int, tensors: Sequence[Tensor]) -> Tensor:
    index = op.inputs[position]
    if index < 0:
        raise IndexError
    return tensors[index]


def _count(op: Op, position: int, tensors: Sequence[Tensor]) -> int:
    """Elements of an input. Raises ValueError when they are not known."""
    elements = _tensor(op, position, tensors).elements
    if elements is None:
        raise ValueError
    return elements


def _elements_kept(op: Op, shape: Shape, tensors: Sequence[Tensor]) -> int:
    return _count(op, 0, tensors) // -math.prod(shape)


def _rows_kept(op: Op, shape: Shape, tensors: Sequence[Tensor]) -> int:
    units, depth = _tensor(op, 1, tensors).shape or ()
    return _count(op, 0, tensors) // depth * units // -math.prod(shape)


def _first_kept(*positions: int) -> Callable[[Op, Shape, Sequence[Tensor]], int]:
    """The first dimension is that of the inputs, which broadcast."""

    def rule(op: Op, shape: Shape, tensors: Sequence[Tensor]) -> int:
        where = positions or range(len(op.inputs))
        shapes = [_tensor(op, position, tensors).shape or () for position in where]
        sizes = {s[0] for s in shapes if len(s) == len(shape)}
        return max(sizes) if shape[0] < 0 and sizes and min(sizes) >= 0 else -1

    return rule


def _concatenated(op: Op, shape: Shape, tensors: Sequence[Tensor]) -> int:
    axis = op.attributes.get("axis")
    return _first_kept()(op, shape, tensors) if axis not in (0, -len(shape)) else -1


def _reduced(op: Op, shape: Shape, tensors: Sequence[Tensor]) -> int:
    axes = integers(_tensor(op, 1, tensors))
    data = _tensor(op, 0, tensors).shape or ()
    if axes is None or any(axis in (0, -len(data)) for axis in axes) or shape[0] >= 0:
        return -1
    return data[0]


def _to_batch(op: Op, shape: Shape, tensors: Sequence[Tensor]) -> int:
    data, block = _tensor(op, 0, tensors).shape, integers(_tensor(op, 1, tensors))
    if not data or data[0] < 0 or block is None or shape[0] >= 0:
        return -1
    return data[0] * math.prod(block)


def _from_batch(op: Op, shape: Shape, tensors: Sequence[Tensor]) -> int:
    data, block = _tensor(op, 0, tensors).shape, integers(_tensor(op, 1, tensors))
    if not data or data[0] < 0 or block is None or shape[0] >= 0:
        return -1
    return data[0] // math.prod(block)


_SAME_ELEMENTS = """
    ABS CAST DEQUANTIZE ELU EXP EXPAND_DIMS GELU HARD_SWISH LEAKY_RELU LOG LOGISTIC LOG_SOFTMAX NEG
    PRELU QUANTIZE RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RESHAPE RSQRT SOFTMAX SQRT SQUARE SQUEEZE
    TANH TRANSPOSE
""".split()  # noqa: SIM905

_SAME_FIRST = """
    AVERAGE_POOL_2D CONV_2D CONV_3D DEPTHWISE_CONV_2D L2_POOL_2D MAX_POOL_2D MIRROR_PAD
    RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR
""".split()  # noqa: SIM905

_BROADCAST = """
    ADD BATCH_MATMUL DIV MAXIMUM MINIMUM MUL SQUARED_DIFFERENCE SUB
""".split()  # noqa: SIM905

_RULES: Mapping[str, Callable[[Op, Shape, Sequence[Tensor]], int]] = {
    **dict.fromkeys(_SAME_ELEMENTS, _elements_kept),
    **dict.fromkeys(_SAME_FIRST, _first_kept(0)),
    **dict.fromkeys(_BROADCAST, _first_kept()),
    **dict.fromkeys(("TRANSPOSE_CONV", "CONV_3D_TRANSPOSE"), _first_kept(2)),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), _reduced),
    "BATCH_TO_SPACE_ND": _from_batch,
    "CONCATENATION": _concatenated,
    "FULLY_CONNECTED": _rows_kept,
    "SPACE_TO_BATCH_ND": _to_batch,
}
