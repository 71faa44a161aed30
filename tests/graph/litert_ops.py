"""
Graphs around one op each, to see what LiteRT's kernels share, add and keep.

`OPS` maps a name to an op with its operands. Each operand is a shape and a type
(computed when the model runs) or a constant. `around` puts copies before and
behind the op, so that neither inputs nor outputs of the graph meet it; `opened`
leaves the batch open, and `folded` gives the op constants only.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import tflite_models as fb
from static_builder import FORMATS, File, Net, options
from tflite_models import schema

SHAPE = [1, 4, 4, 8]
F, I8, I16, I32, I64, B = "FLOAT32", "INT8", "INT16", "INT32", "INT64", "BOOL"


@dataclass(frozen=True)
class Operand:
    shape: list[int]
    dtype: str = F
    values: tuple[float, ...] | None = None
    scales: tuple[float, ...] = ()
    axis: int = 0


@dataclass(frozen=True)
class OneOp:
    kind: str
    inputs: list[Operand | None]
    outputs: list[Operand]
    options: Any = None


OPS: dict[str, OneOp] = {}


def x(shape: list[int] | None = None, dtype: str = F) -> Operand:
    return Operand(SHAPE if shape is None else shape, dtype)


def c(
    shape: list[int], dtype: str = I32, values: Any = None, scales: Any = (), axis: int = 0
) -> Any:
    count = 1
    for n in shape:
        count *= n
    filled = tuple(values) if values is not None else (1,) * count
    return Operand(shape, dtype, filled, tuple(scales), axis)


def numbers(*values: int) -> Operand:
    return c([len(values)], I32, values)


def add(name: str, kind: str, inputs: list[Any], outputs: list[Any], chosen: Any = None) -> None:
    OPS[f"{kind.lower()}_{name}"] = OneOp(kind, inputs, outputs, chosen)


UNARY = """
    ABS COS EXP FLOOR GELU HARD_SWISH L2_NORMALIZATION LEAKY_RELU LOCAL_RESPONSE_NORMALIZATION LOG
    LOG_SOFTMAX LOGISTIC NEG RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RSQRT SIGN SIN SOFTMAX SQRT SQUARE
    TANH ZEROS_LIKE CEIL ELU ROUND
    """
BINARY = "ADD SUB MUL DIV MAXIMUM MINIMUM POW SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD ATAN2"
COMPARING = "LESS LESS_EQUAL GREATER GREATER_EQUAL EQUAL NOT_EQUAL"
TABLES = {
    "GELU": "Gelu", "L2_NORMALIZATION": "L2Norm", "LEAKY_RELU": "LeakyRelu", "NEG": "Neg",
    "LOCAL_RESPONSE_NORMALIZATION": "LocalResponseNormalization", "SOFTMAX": "Softmax",
    "ADD": "Add", "SUB": "Sub", "MUL": "Mul", "DIV": "Div", "POW": "Pow",
    "SQUARED_DIFFERENCE": "SquaredDifference",
}  # fmt: skip


def table(kind: str) -> Any:
    fields: dict[str, Any] = {"beta": 1.0} if kind == "SOFTMAX" else {}
    return options(TABLES[kind], **fields) if kind in TABLES else None


for kind in UNARY.split():
    add("float", kind, [x()], [x()], table(kind))
for kind in ("RELU", "RELU6", "LEAKY_RELU", "ABS", "NEG", "HARD_SWISH"):
    add("int8", kind, [x(dtype=I8)], [x(dtype=I8)], table(kind))
for kind in BINARY.split():
    row = c([8], F)
    add("float", kind, [x(), x()], [x()], table(kind))
    add("broadcast", kind, [x(), row], [x()], table(kind))
    add("broadcast_left", kind, [row, x()], [x()], table(kind))
for kind in BINARY.split()[:4]:
    add("int8", kind, [x(dtype=I8), x(dtype=I8)], [x(dtype=I8)], table(kind))
    add("int32", kind, [x(dtype=I32), x(dtype=I32)], [x(dtype=I32)], table(kind))
for kind in COMPARING.split():
    add("float", kind, [x(), x()], [x(dtype=B)])
for kind in ("LOGICAL_AND", "LOGICAL_OR"):
    add("bool", kind, [x(dtype=B), x(dtype=B)], [x(dtype=B)])
add("bool", "LOGICAL_NOT", [x(dtype=B)], [x(dtype=B)])
add("float", "PRELU", [x(), c([8], F)], [x()])
add("float", "SELECT", [x(dtype=B), x(), x()], [x()])
add("float", "SELECT_V2", [x(dtype=B), x(), x()], [x()])
add("three", "ADD_N", [x(), x(), x()], [x()])
add("int32", "BITWISE_XOR", [x(dtype=I32), x(dtype=I32)], [x(dtype=I32)])

# What only moves or copies
add(
    "float", "RESHAPE", [x(), numbers(1, 128)], [x([1, 128])], options("Reshape", newShape=[1, 128])
)
add("float", "SQUEEZE", [x()], [x([4, 4, 8])], options("Squeeze", squeezeDims=[0]))
add("float", "EXPAND_DIMS", [x(), numbers(0)], [x([1, *SHAPE])])
add("float", "BITCAST", [x()], [x(dtype=I32)])
add("wide", "CAST", [x()], [x(dtype=I64)])
add("same", "CAST", [x(dtype=I32)], [x()])
add("float", "QUANTIZE", [x()], [x(dtype=I8)])
add("int8", "DEQUANTIZE", [x(dtype=I8)], [x()])
add("float", "TRANSPOSE", [x(), numbers(0, 3, 1, 2)], [x([1, 8, 4, 4])])
add("two", "CONCATENATION", [x(), x()], [x([1, 4, 4, 16])], options("Concatenation", axis=3))
add("two", "PACK", [x(), x()], [x([2, *SHAPE])], options("Pack", valuesCount=2))
add("eight", "UNPACK", [x()], [x([1, 4, 4])] * 8, options("Unpack", num=8, axis=3))
add("four", "SPLIT", [c([1], I32, [3]), x()], [x([1, 4, 4, 2])] * 4, options("Split", numSplits=4))
add("uneven", "SPLIT_V", [x(), numbers(2, 6), c([1], I32, [3])], [x([1, 4, 4, 2]), x([1, 4, 4, 6])],
    options("SplitV", numSplits=2))  # fmt: skip
add("part", "SLICE", [x(), numbers(0, 0, 0, 0), numbers(1, 2, 2, 8)], [x([1, 2, 2, 8])])
add("part", "STRIDED_SLICE", [x(), numbers(0, 0, 0, 0), numbers(1, 2, 2, 8), numbers(1, 1, 1, 1)],
    [x([1, 2, 2, 8])], options("StridedSlice"))  # fmt: skip
add("two", "GATHER", [x(), numbers(0, 1)], [x([1, 4, 4, 2])], options("Gather", axis=3))
add("one", "GATHER_ND", [x(), c([1, 2], I32, [0, 1])], [x([1, 4, 8])])
EDGES = c([4, 2], I32, [0, 0, 1, 1, 1, 1, 0, 0])
add("edges", "PAD", [x(), EDGES], [x([1, 6, 6, 8])])
add("edges", "PADV2", [x(), EDGES, c([1], F)], [x([1, 6, 6, 8])])
add("edges", "MIRROR_PAD", [x(), EDGES], [x([1, 6, 6, 8])], options("MirrorPad"))
add("twice", "TILE", [x(), numbers(1, 2, 1, 1)], [x([1, 8, 4, 8])])
add("twice", "RESIZE_BILINEAR", [x(), numbers(8, 8)], [x([1, 8, 8, 8])], options("ResizeBilinear"))
add("twice", "RESIZE_NEAREST_NEIGHBOR", [x(), numbers(8, 8)], [x([1, 8, 8, 8])])
add("two", "DEPTH_TO_SPACE", [x()], [x([1, 8, 8, 2])], options("DepthToSpace", blockSize=2))
add("two", "SPACE_TO_DEPTH", [x()], [x([1, 2, 2, 32])], options("SpaceToDepth", blockSize=2))
CROPS = c([2, 2], I32, [0, 0, 0, 0])
add("two", "SPACE_TO_BATCH_ND", [x(), numbers(2, 2), CROPS], [x([4, 2, 2, 8])])
add("two", "BATCH_TO_SPACE_ND", [x([4, 2, 2, 8]), numbers(2, 2), CROPS], [x()])
add(
    "last", "ARG_MAX", [x(), c([1], I32, [3])], [x([1, 4, 4], I64)], options("ArgMax", outputType=4)
)
add(
    "last", "ARG_MIN", [x(), c([1], I32, [3])], [x([1, 4, 4], I32)], options("ArgMin", outputType=2)
)
add("two", "TOPK_V2", [x(), numbers(2)], [x([1, 4, 4, 2]), x([1, 4, 4, 2], I32)])
add("last", "CUMSUM", [x(), numbers(3)], [x()], options("Cumsum"))
add("rows", "REVERSE_V2", [x(), numbers(1)], [x()])
add("rows", "REVERSE_SEQUENCE", [x(), numbers(2)], [x()], options("ReverseSequence", seqDim=1))
add("rows", "EMBEDDING_LOOKUP", [x([4], I32), c([6, 5], F)], [x([4, 5])])
add("rows", "SCATTER_ND", [c([2, 1], I32, [0, 1]), x([2, 8]), numbers(4, 8)], [x([4, 8])])
add("corner", "DYNAMIC_UPDATE_SLICE", [x(), x([1, 2, 2, 8]), numbers(0, 0, 0, 0)], [x()])
add("float", "FAKE_QUANT", [x()], [x()], options("FakeQuant", min=-1.0, max=1.0, numBits=8))
add("float", "RANK", [x()], [x([], I32)])
add("float", "SHAPE", [x()], [x([4], I32)], options("Shape", outType=schema.TensorType.INT32))

# Windows, products and sums
VALID = options("Pool2D", padding=1, strideW=2, strideH=2, filterWidth=2, filterHeight=2)
for kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
    for dtype in (F, I8):
        add(dtype.lower(), kind, [x(dtype=dtype)], [x([1, 2, 2, 8], dtype)], VALID)
for kind in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"):
    for dtype in (F, I8, I32):
        add(dtype.lower(), kind, [x(dtype=dtype), numbers(1, 2)], [x([1, 1, 1, 8], dtype)],
            options("Reducer", keepDims=True))  # fmt: skip
for kind in ("REDUCE_ANY", "REDUCE_ALL"):
    add("bool", kind, [x(dtype=B), numbers(1, 2)], [x([1, 8], B)], options("Reducer"))
MATRIX, OTHER, PRODUCT = [2, 4, 8], [2, 8, 6], [2, 4, 6]
for dtype in (F, I8):
    add(dtype.lower(), "BATCH_MATMUL", [x(MATRIX, dtype), x(OTHER, dtype)], [x(PRODUCT, dtype)],
        options("BatchMatMul"))  # fmt: skip
add("constant", "BATCH_MATMUL", [x(MATRIX), c(OTHER, F)], [x(PRODUCT)], options("BatchMatMul"))
add("hybrid", "BATCH_MATMUL", [x(MATRIX), c(OTHER, I8)], [x(PRODUCT)], options("BatchMatMul"))
add("transposed", "BATCH_MATMUL", [x(MATRIX), x([2, 6, 8])], [x(PRODUCT)],
    options("BatchMatMul", adjY=True))  # fmt: skip
EACH = tuple(0.01 + 0.001 * i for i in range(8))
for name, dtype, weights, bias in (
    ("float", F, F, F), ("int8", I8, I8, I32), ("hybrid", F, I8, F), ("int16", I16, I8, I64)
):  # fmt: skip
    each = EACH[:5] if weights == I8 else ()
    add(name, "FULLY_CONNECTED", [x([3, 8], dtype), c([6, 8], weights), c([6], bias)],
        [x([3, 6], dtype)], options("FullyConnected"))  # fmt: skip
    for size, stride in ((3, 1), (3, 2), (1, 1), (1, 2)):
        for scales in {(), each}:
            add(f"{name}_{size}x{size}_by_{stride}{'_channels' * bool(scales)}", "CONV_2D",
                [x(dtype=dtype), c([5, size, size, 8], weights, scales=scales), c([5], bias)],
                [x([1, 4 // stride, 4 // stride, 5], dtype)],
                options("Conv2D", strideW=stride, strideH=stride))  # fmt: skip
    add(name, "DEPTHWISE_CONV_2D",
        [x(dtype=dtype), c([1, 3, 3, 8], weights, scales=EACH if weights == I8 else (), axis=3),
         c([8], bias)], [x(dtype=dtype)],
        options("DepthwiseConv2D", strideW=1, strideH=1, depthMultiplier=1))  # fmt: skip
    add(name, "TRANSPOSE_CONV", [numbers(1, 8, 8, 5), c([5, 3, 3, 8], weights), x(dtype=dtype)],
        [x([1, 8, 8, 5], dtype)], options("TransposeConv", strideW=2, strideH=2))  # fmt: skip
for size in (1, 2):
    add(f"{size}", "CONV_3D", [x([1, 4, 4, 4, 2]), c([size, size, size, 2, 3], F), c([3], F)],
        [x([1, 4, 4, 4, 3])], options("Conv3D", strideD=1, strideW=1, strideH=1))  # fmt: skip


def around(op: OneOp) -> bytes:
    """The op on values that other ops make, for others that read them."""
    return _around(op).file.pack()


def opened(op: OneOp) -> bytes:
    """The same, with a first dimension of one that is open."""
    net = _around(op)
    for tensor in net.tensors:
        if not tensor.buffer and len(tensor.shape) > 1 and tensor.shape[0] == 1:
            tensor.shapeSignature = [-1, *tensor.shape[1:]]
    return net.file.pack()


def _around(op: OneOp) -> Net:
    net = File(seed=5).graph(F)
    inputs = []
    for operand in op.inputs:
        tensor = _tensor(net, operand)
        if operand is not None and operand.values is None:
            net.inputs.append(tensor)
            tensor = _copy(net, tensor)
        inputs.append(tensor)
    return _finish(net, op, inputs)


def folded(op: OneOp) -> bytes:
    """The op on constants only, beside a graph that runs."""
    net = File(seed=5).graph(F)
    net.outputs = [_copy(net, net.input([3]))]
    inputs = []
    for operand in op.inputs:
        filled = operand and c(
            operand.shape, operand.dtype, operand.values, operand.scales, operand.axis
        )
        inputs.append(_tensor(net, filled))
    return _finish(net, op, inputs).file.pack()


def _finish(net: Net, op: OneOp, inputs: list[int]) -> Net:
    outputs = [_tensor(net, operand) for operand in op.outputs]
    code = net.file.code(op.kind, 1)
    net.ops.append(fb.op(code, inputs, outputs, op.options))
    copied = [_copy(net, o) if net.shape(o) else o for o in outputs]
    net.outputs = [*net.outputs, *copied]
    return net


def _copy(net: Net, tensor: int) -> int:
    """A copy, by an op that shares nothing and exists for all types."""
    made = net.tensor(net.shape(tensor))
    net.tensors[made].type = net.tensors[tensor].type
    net.tensors[made].quantization = net.tensors[tensor].quantization
    code = net.file.code("CONCATENATION", 1)
    net.ops.append(fb.op(code, [tensor], [made], options("Concatenation")))
    return made


def _tensor(net: Net, operand: Operand | None) -> int:
    if operand is None:
        return -1
    more = {}
    if operand.scales:
        more["quantization"] = fb.quantization(
            list(operand.scales), [0] * len(operand.scales), operand.axis
        )
    if operand.values is None:
        return net.tensor(operand.shape, operand.dtype, **more)
    code = FORMATS[operand.dtype]
    data = struct.pack(f"<{len(operand.values)}{code}", *operand.values)
    return net.tensor(operand.shape, operand.dtype, net.file.buffer(data), **more)
