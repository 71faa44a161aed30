"""
Operations of one op that are not multiply-accumulates.

Counted are additions, products, comparisons and functions of single numbers: of
elementwise ops, pooling, reductions, normalizations, biases and fused
activations. A function of one number (exp, tanh, a whole activation such as
hard-swish) is one operation. Moving data is none, and neither is the rescaling
of quantized numbers inside an op; QUANTIZE and DEQUANTIZE are two an element.

Source of the counts: TensorFlow's profiler (tensorflow/python/profiler/internal/
flops_registry.py): one an output element for unary and binary ops, two for
Rsqrt and SquaredDifference, five for Softmax; kernel area times output elements
for pooling; a sum of n numbers is n - 1, a mean n. Activations are not in that
table. Normalizations, quantization and recurrent cells count what their formulas
in the ONNX operator specification have, for each element.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from pytest_edgebudget.graph.macs import Rule, Sizes, UnknownShapeError, product


def _each(count: int) -> Rule:
    """*count* an output element."""
    return lambda sizes: count * product(sizes.output())


def _reduction(finish: int) -> Rule:
    """One an input element less one a result, and *finish* a result."""

    def rule(sizes: Sizes) -> int:
        return product(sizes.input(0)) + (finish - 1) * product(sizes.output())

    return rule


def _window(area: Callable[[Sizes], int]) -> Rule:
    return lambda sizes: product(sizes.output()) * area(sizes)


def _filter(sizes: Sizes) -> int:
    return sizes.integer("filter_width") * sizes.integer("filter_height")


def _kernel(sizes: Sizes) -> int:
    kernel = sizes.op.attributes.get("kernel_shape")
    if not isinstance(kernel, tuple):
        raise UnknownShapeError
    return math.prod(kernel)


def _all_inputs(sizes: Sizes) -> int:
    """Of n inputs: n - 1 operations an output element."""
    return (len(sizes.inputs()) - 1) * product(sizes.output())


def _whole_input(sizes: Sizes) -> int:
    return product(sizes.input(0))


def _biased(position: int) -> Rule:
    """One addition an output element where there is a bias."""

    def rule(sizes: Sizes) -> int:
        inputs = sizes.op.inputs
        there = position < len(inputs) and inputs[position] >= 0
        return product(sizes.output()) if there else 0

    return rule


def _resized(sizes: Sizes) -> int:
    """
    ONNX's Resize and Upsample: a product for each neighbour, and their sum.

    Linear looks at two along each axis that changes, cubic at four. Not known with
    antialiasing, whose neighbours depend on the scale.
    """
    attributes = sizes.op.attributes
    neighbours = {"nearest": 1, "linear": 2, "cubic": 4}.get(str(attributes.get("mode", "nearest")))
    if neighbours is None or attributes.get("antialias"):
        raise UnknownShapeError
    before, after = sizes.input(0), sizes.output()
    product((*before, *after))
    changed = sum(one != other for one, other in zip(before, after, strict=True))
    if changed > _MOST_RESIZED:
        raise UnknownShapeError
    seen = neighbours**changed
    return product(after) * (2 * seen - 1) if seen > 1 else 0


_MOST_RESIZED = 3
"""Axes along which onnxruntime interpolates at once (upsample.cc)."""


def _both_ways(count: int, backward: int) -> Rule:
    """TensorFlow Lite's in both directions: units are the rows of inputs 2 and *backward*."""

    def rule(sizes: Sizes) -> int:
        units = sizes.input(_FORWARD)[0] + sizes.input(backward)[0]
        return count * product((*sizes.input(0)[:-1], units))

    return rule


_FORWARD = 2


def _cells(count: int) -> Rule:
    """TensorFlow Lite's recurrent layers: *count* a unit (rows of input 2) and a step."""
    return lambda sizes: count * product(sizes.input(0)[:-1]) * sizes.input(2)[0]


def _onnx_cells(count: int) -> Rule:
    """ONNX's: *count* a unit and a step in each direction (R has them as its columns)."""

    def rule(sizes: Sizes) -> int:
        directions, _, units = sizes.input(2)
        return count * product((*sizes.input(0)[:2], directions, units))

    return rule


_COUNTS = {
    0: """
        ASSIGN_VARIABLE BATCH_TO_SPACE_ND BITCAST BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST
        CONCATENATION DENSIFY DEPTH_TO_SPACE DILATE DYNAMIC_UPDATE_SLICE EMBEDDING_LOOKUP
        EXPAND_DIMS FILL GATHER GATHER_ND HASHTABLE HASHTABLE_LOOKUP IMAG MATRIX_DIAG
        MATRIX_SET_DIAG MIRROR_PAD ONE_HOT PACK PAD PADV2 RANGE RANK READ_VARIABLE REAL RESHAPE
        RESIZE_NEAREST_NEIGHBOR REVERSE_SEQUENCE REVERSE_V2 SCATTER_ND SELECT SELECT_V2 SHAPE
        SLICE SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPARSE_TO_DENSE SPLIT SPLIT_V SQUEEZE
        STRIDED_SLICE TILE TRANSPOSE UNPACK VAR_HANDLE ZEROS_LIKE
        STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONCATENATE STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE
        STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_GATHER STABLEHLO_IOTA STABLEHLO_PAD
        STABLEHLO_RESHAPE STABLEHLO_SELECT STABLEHLO_SLICE STABLEHLO_TRANSPOSE
        BitCast Cast CastLike CenterCropPad Compress Concat Constant ConstantOfShape DepthToSpace
        Dropout Expand EyeLike Flatten Gather GatherElements GatherND Identity OneHot Pad Range
        Reshape ReverseSequence Scatter ScatterElements ScatterND Shape Size Slice SpaceToDepth
        Split Squeeze TensorScatter Tile Transpose Trilu Unsqueeze Where
        com.microsoft:GatherBlockQuantized com.microsoft:QLinearConcat
    """,
    1: """
        ABS ADD ATAN2 BITWISE_XOR CEIL COMPLEX_ABS COS CUMSUM DIV ELU EQUAL EXP FLOOR FLOOR_DIV
        FLOOR_MOD GELU GREATER GREATER_EQUAL HARD_SWISH LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND
        LOGICAL_NOT LOGICAL_OR LOGISTIC MAXIMUM MINIMUM MUL NEG NOT_EQUAL POW PRELU RELU RELU6
        RELU_0_TO_1 RELU_N1_TO_1 RIGHT_SHIFT ROUND SIGN SIN SQRT SQUARE SUB TANH
        STABLEHLO_ABS STABLEHLO_ADD STABLEHLO_AND STABLEHLO_CBRT STABLEHLO_CLAMP STABLEHLO_COMPARE
        STABLEHLO_COSINE STABLEHLO_DIVIDE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG
        STABLEHLO_LOGISTIC STABLEHLO_MAXIMUM STABLEHLO_MINIMUM STABLEHLO_MULTIPLY STABLEHLO_NEGATE
        STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER STABLEHLO_SHIFT_LEFT STABLEHLO_SUBTRACT
        STABLEHLO_TANH
        Abs Acos Acosh Add And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr
        BitwiseXor Ceil Celu Clip Cos Cosh CumProd CumSum Div Elu Equal Erf Exp Floor Gelu Greater
        GreaterOrEqual HardSigmoid HardSwish IsInf IsNaN LeakyRelu Less LessOrEqual Log Mish Mod
        Mul Neg Not Or PRelu Pow Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus
        Softsign Sqrt Sub Swish Tan Tanh ThresholdedRelu Xor
        com.microsoft:FastGelu com.microsoft:Gelu com.microsoft:QLinearAdd
        com.microsoft:QLinearLeakyRelu com.microsoft:QLinearMul com.microsoft:QLinearSigmoid
        com.microsoft:QuickGelu
    """,
    2: """
        DEQUANTIZE QUANTIZE RSQRT SQUARED_DIFFERENCE STABLEHLO_RSQRT
        DequantizeLinear QuantizeLinear com.microsoft:BiasGelu com.microsoft:DequantizeLinear
        com.microsoft:QuantizeLinear
    """,
    3: "L2_NORMALIZATION LpNormalization",  # square, sum, multiply
    4: "BatchNormalization DynamicQuantizeLinear RMSNormalization",
    5: "LOG_SOFTMAX SOFTMAX LogSoftmax Softmax com.microsoft:QLinearSoftmax",
    7: """
        RESIZE_BILINEAR
        GroupNormalization InstanceNormalization LayerNormalization
    """,  # bilinear: four neighbours, a product each, and three sums
    8: "com.microsoft:SkipLayerNormalization",
}
"""Operations an output element."""

_ELEMENTWISE = frozenset(f"{_COUNTS[1]} {_COUNTS[2]}".split()) - {"CUMSUM", "CumProd", "CumSum"}

_BIASES = {
    **dict.fromkeys(("CONV_2D", "CONV_3D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"), 2),
    **dict.fromkeys(("TRANSPOSE_CONV", "CONV_3D_TRANSPOSE"), 3),
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm", "com.microsoft:FusedConv"), 2),
    **dict.fromkeys(("com.microsoft:FusedGemm",), 2),
    **dict.fromkeys(("QLinearConv",), 8),
    **dict.fromkeys(("com.microsoft:QGemm",), 6),
    **dict.fromkeys(("com.microsoft:DynamicQuantizeMatMul",), 4),
    **dict.fromkeys(("com.microsoft:MatMulIntegerToFloat",), 6),
    **dict.fromkeys(("com.microsoft:MatMulNBits",), 5),
}
"""Where the bias of a product is."""

_BARE_PRODUCTS = """
    BATCH_MATMUL STABLEHLO_CONVOLUTION STABLEHLO_DOT_GENERAL
    ConvInteger MatMul MatMulInteger QLinearMatMul com.microsoft:FusedMatMul
""".split()  # noqa: SIM905

_SUMS = """
    ARG_MAX ARG_MIN REDUCE_ALL REDUCE_ANY REDUCE_MAX REDUCE_MIN REDUCE_PROD SUM
    ArgMax ArgMin ReduceMax ReduceMin ReduceProd ReduceSum
""".split()  # noqa: SIM905

_RULES: Mapping[str, Rule] = {
    **{kind: _each(count) for count, kinds in _COUNTS.items() for kind in kinds.split()},
    **{kind: _biased(position) for kind, position in _BIASES.items()},
    **dict.fromkeys(_BARE_PRODUCTS, _each(0)),
    **dict.fromkeys(_SUMS, _reduction(0)),
    **dict.fromkeys(("MEAN", "ReduceMean"), _reduction(1)),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D"), _window(_filter)),
    **dict.fromkeys(
        ("AveragePool", "MaxPool", "com.microsoft:QLinearAveragePool"), _window(_kernel)
    ),
    **dict.fromkeys(("GlobalAveragePool", "com.microsoft:QLinearGlobalAveragePool"), _whole_input),
    "GlobalMaxPool": _whole_input,
    **dict.fromkeys(("ADD_N", "Max", "Min", "Sum"), _all_inputs),
    "SVDF": _each(2),  # bias, activation
    **dict.fromkeys(("RNN", "UNIDIRECTIONAL_SEQUENCE_RNN"), _each(2)),
    **dict.fromkeys(("Resize", "Upsample"), _resized),
    "BIDIRECTIONAL_SEQUENCE_RNN": _both_ways(2, 6),
    "BIDIRECTIONAL_SEQUENCE_LSTM": _both_ways(13, 19),
    # 4 biases, 5 functions, 3 products, 1 sum
    **dict.fromkeys(("LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM"), _cells(13)),
}

_ONNX_RECURRENT: Mapping[str, Rule] = {
    "LSTM": _onnx_cells(13),
    "GRU": _onnx_cells(11),  # 3 biases, 3 functions, 3 products, 1 - z, 1 sum
    "RNN": _onnx_cells(2),
    "com.microsoft:DynamicQuantizeLSTM": _onnx_cells(13),
}
"""Apart: two of these names are TensorFlow Lite's, too."""


def is_elementwise(kind: str) -> bool:
    """Whether each output element needs the input elements at its own place only."""
    return kind in _ELEMENTWISE


def operations(sizes: Sizes, format_: str) -> int | None:
    """
    Operations of an op, its bias and its fused activation among them.

    None when the op is not in the tables above. Raises UnknownShapeError when a
    size is not known.
    """
    kind = sizes.op.kind
    rule = (_ONNX_RECURRENT.get(kind) if format_ == "onnx" else None) or _RULES.get(kind)
    return None if rule is None else rule(sizes) + _activation(sizes)


def _activation(sizes: Sizes) -> int:
    fused = sizes.op.attributes.get("fused_activation_function", "NONE")
    recurrent = fused != "NONE" and sizes.op.kind.endswith(("LSTM", "RNN", "SVDF"))
    return 0 if fused == "NONE" or recurrent else product(sizes.output())
