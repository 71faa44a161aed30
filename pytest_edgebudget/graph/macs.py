"""
Multiply-accumulates of one op, by kind.

Counted are the products of convolutions, matrix products and recurrent layers,
as if each output element were computed directly; what is elementwise, pooled or
moved counts nothing. Zeros in the weights count like other weights.

The kinds say what is multiplied, whatever the op is called: a matrix product is
"fully_connected" when one side is weights of the file, and "matmul" (attention)
when both sides are computed; a convolution is "depthwise" when each filter sees
one of several channels. (TensorFlow's converter writes a convolution of one
channel as DEPTHWISE_CONV_2D.)

Source: Sze et al., "Efficient Processing of Deep Neural Networks: A Tutorial
and Survey", Proceedings of the IEEE 105(12), 2017, section III.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

from pytest_edgebudget.graph.dtypes import MAX_COUNT
from pytest_edgebudget.graph.ir import Op, Tensor

Shape = tuple[int, ...]


class UnknownShapeError(Exception):
    """The count depends on a dimension that the file does not fix."""


KINDS = ("convolution", "depthwise", "fully_connected", "matmul", "recurrent")
"""The kinds of multiply-accumulates."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The shapes around *op*."""

    op: Op
    tensors: Sequence[Tensor]

    def input(self, position: int) -> Shape:
        """The shape of an input. Raises UnknownShapeError."""
        return self._of(self.op.inputs, position)

    def inputs(self) -> list[tuple[int, Tensor]]:
        """All inputs that are there, by position."""
        return [(i, self.tensors[index]) for i, index in enumerate(self.op.inputs) if index >= 0]

    def axis(self, position: int, axis: int) -> int:
        """One size of an input. Raises UnknownShapeError."""
        return product((self.input(position)[axis],))

    def output(self) -> Shape:
        """The shape of the first output. Raises UnknownShapeError."""
        return self._of(self.op.outputs, 0)

    def flag(self, name: str) -> bool:
        """A yes or no among the attributes."""
        return bool(self.op.attributes.get(name, False))

    def integer(self, name: str) -> int:
        """A number among the attributes. Raises UnknownShapeError."""
        value = self.op.attributes.get(name)
        if not isinstance(value, int):
            raise UnknownShapeError
        return value

    def _of(self, indices: Sequence[int], position: int) -> Shape:
        index = indices[position] if position < len(indices) else -1
        shape = self.tensors[index].shape if index >= 0 else None
        if shape is None:
            raise UnknownShapeError
        return shape


Rule = Callable[[Sizes], int]


def product(shape: Shape) -> int:
    """Elements of *shape*. Raises UnknownShapeError when a dimension is dynamic."""
    count = math.prod(shape)
    if min(shape, default=0) < 0 or count >= MAX_COUNT:
        raise UnknownShapeError
    return count


def convolution(weights: int, kernel: slice) -> Rule:
    """Output elements times the weights that each one sees: *kernel* of their axes."""

    def rule(sizes: Sizes) -> int:
        return product(sizes.output()) * product(sizes.input(weights)[kernel])

    return rule


def transposed(data: int, kernel: Callable[[Shape], Shape]) -> Rule:
    """Input elements times the outputs that each one reaches; weights are input 1."""

    def rule(sizes: Sizes) -> int:
        return product(sizes.input(data)) * product(kernel(sizes.input(1)))

    return rule


def _fully_connected(sizes: Sizes) -> int:
    units, _ = sizes.input(1)
    return product(sizes.input(0)) * units


def matmul(left_flag: str, right_flag: str) -> Rule:
    """Output elements times the length of the sums; the flags transpose a side."""

    def rule(sizes: Sizes) -> int:
        return product(sizes.output()) * _depth(sizes, left_flag, right_flag)

    return rule


def _depth(sizes: Sizes, left_flag: str, right_flag: str) -> int:
    """The length of the sums, from the left side's columns or the right side's rows."""
    try:
        left = sizes.input(0)
        return product((left[-2 if sizes.flag(left_flag) else -1],))
    except UnknownShapeError:
        right = sizes.input(1)
        column = len(right) == 1 or sizes.flag(right_flag)
        return product((right[-1 if column else -2],))


def _cells(sizes: Sizes) -> int:
    """
    TensorFlow Lite's recurrent layers: each step multiplies with each matrix.

    Inputs of rank 2 are matrices, except states; peepholes and biases have
    rank 1 and are elementwise.
    """
    steps = product(sizes.input(0)[:-1])
    matrices = [
        tensor
        for position, tensor in sizes.inputs()
        if position and len(tensor.shape or ()) == 2 and not tensor.variable
    ]
    if sizes.op.attributes.get("kernel_type") == "BASIC":
        return steps * product(sizes.input(2))
    return steps * sum(product(tensor.shape or ()) for tensor in matrices)


def _recurrent(sizes: Sizes) -> int:
    """ONNX's LSTM, GRU and RNN: W is input 1, R is input 2, with their directions."""
    return product(sizes.input(0)[:2]) * sum(product(sizes.input(i)) for i in (1, 2))


def _dot_general(sizes: Sizes) -> int:
    left, axes = sizes.input(0), sizes.op.attributes.get("lhs_contracting_dimensions")
    if not isinstance(axes, tuple):
        raise UnknownShapeError
    return product(sizes.output()) * product(tuple(left[axis] for axis in axes))


def _stablehlo_convolution(sizes: Sizes) -> int:
    axis = sizes.integer("kernel_output_feature_dimension")
    kernel = sizes.input(1)
    return product(sizes.output()) * product(kernel[:axis] + kernel[axis + 1 :])


def _n_bits(sizes: Sizes) -> int:
    return product(sizes.input(0)) * sizes.integer("N")


RULES: Mapping[str, Rule] = {
    "CONV_2D": convolution(1, slice(1, None)),  # weights [O, kh, kw, I / groups]
    "DEPTHWISE_CONV_2D": convolution(1, slice(1, 3)),  # [1, kh, kw, O]
    "CONV_3D": convolution(1, slice(0, 4)),  # [kd, kh, kw, I, O]
    "TRANSPOSE_CONV": transposed(2, lambda w: w[:3]),  # [O, kh, kw, I]
    "CONV_3D_TRANSPOSE": transposed(2, lambda w: w[:4]),  # [kd, kh, kw, O, I]
    "FULLY_CONNECTED": _fully_connected,  # [O, I]
    "BATCH_MATMUL": matmul("adj_x", "adj_y"),
    "STABLEHLO_DOT_GENERAL": _dot_general,
    "STABLEHLO_CONVOLUTION": _stablehlo_convolution,
    **dict.fromkeys(
        (
            *("UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM", "LSTM", "SVDF"),
            *("UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN", "RNN"),
        ),
        _cells,
    ),
}
"""TensorFlow Lite's ops; builtin ops that are not here count nothing."""

ONNX_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(  # weights [M, C / group, k ...]
        ("Conv", "ConvInteger", "com.microsoft:FusedConv"), convolution(1, slice(1, None))
    ),
    "QLinearConv": convolution(3, slice(1, None)),
    "ConvTranspose": transposed(0, lambda w: w[1:]),  # [C, M / group, k ...]
    **dict.fromkeys(
        (
            *("Gemm", "com.microsoft:FusedGemm", "com.microsoft:QGemm", "MatMul", "MatMulInteger"),
            *("com.microsoft:FusedMatMul", "com.microsoft:DynamicQuantizeMatMul"),
            *("com.microsoft:MatMulIntegerToFloat", "QLinearMatMul"),
        ),
        matmul("transA", "transB"),
    ),
    "com.microsoft:MatMulNBits": _n_bits,
    **dict.fromkeys(("LSTM", "GRU", "RNN", "com.microsoft:DynamicQuantizeLSTM"), _recurrent),
}
"""ONNX's ops; standard ops that are not here count nothing."""

UNCOUNTED = frozenset(
    {"Attention", "DeformConv", "Einsum", "DELEGATE", "LinearAttention", "STABLEHLO_CUSTOM_CALL"}
)
"""Ops of the formats that multiply matrices, and are not counted here."""

COUNTED_AS_ZERO = frozenset(
    f"com.microsoft:{kind}"
    for kind in (
        *("BiasGelu", "DequantizeLinear", "FastGelu", "Gelu", "QLinearAdd", "QLinearAveragePool"),
        *("QLinearConcat", "QLinearGlobalAveragePool", "QLinearLeakyRelu", "QLinearMul"),
        *("QLinearSigmoid", "QLinearSoftmax", "QuantizeLinear", "QuickGelu"),
        *("SkipLayerNormalization", "SkipSimplifiedLayerNormalization"),
    )
)
"""Ops of onnxruntime's own that are elementwise, pool or move."""


_CONVOLUTIONS: Mapping[str, int] = {
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_3D", "STABLEHLO_CONVOLUTION"), 1),
    **dict.fromkeys(("TRANSPOSE_CONV", "CONV_3D_TRANSPOSE"), 1),
    **dict.fromkeys(("Conv", "ConvInteger", "ConvTranspose", "com.microsoft:FusedConv"), 1),
    "QLinearConv": 3,
}
"""Where the weights of a convolution are."""

_RECURRENT = frozenset(
    kind for rules in (RULES, ONNX_RULES) for kind, rule in rules.items()
    if rule in (_cells, _recurrent)
)  # fmt: skip

_SIDES: Mapping[str, tuple[int, ...]] = {
    "QLinearMatMul": (0, 3),
    "com.microsoft:QGemm": (0, 3),
}
"""Where the two sides of a matrix product are, when not first and second."""

_NONE: Mapping[str, int] = {}


def macs(sizes: Sizes, format_: str, constants: Container[int]) -> Mapping[str, int] | None:
    """
    Multiply-accumulates of an op: one of `KINDS` and how many, or nothing.

    None when they cannot be counted: an op that is not known. Raises
    UnknownShapeError when a size is not known. *constants*: the tensors whose
    values come from the file.
    """
    op = sizes.op
    rule = (RULES if format_ == "tflite" else ONNX_RULES).get(op.kind)
    if rule is not None:
        return {_kind(sizes, constants): rule(sizes)}
    unknown = op.custom or op.kind in UNCOUNTED or op.kind.startswith("BUILTIN_")
    return None if unknown and op.kind not in COUNTED_AS_ZERO else _NONE


def _kind(sizes: Sizes, constants: Container[int]) -> str:
    op = sizes.op
    if op.kind in _CONVOLUTIONS:
        return "depthwise" if _one_channel_a_filter(sizes) else "convolution"
    if op.kind in _RECURRENT:
        return "recurrent"
    sides = _SIDES.get(op.kind, (0, 1))
    return "fully_connected" if any(op.inputs[i] in constants for i in sides) else "matmul"


def _one_channel_a_filter(sizes: Sizes) -> bool:
    kind = sizes.op.kind
    if kind == "DEPTHWISE_CONV_2D":
        return sizes.input(0)[3] != 1
    if kind == "CONV_2D":
        return sizes.input(1)[3] == 1 < sizes.axis(0, 3)
    groups = sizes.op.attributes.get("group", 1)
    weights = sizes.input(_CONVOLUTIONS[kind])
    return isinstance(groups, int) and groups > 1 and weights[1] == 1
