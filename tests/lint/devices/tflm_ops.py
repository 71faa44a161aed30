"""
Models of one op each, in every element type: what TensorFlow Lite Micro is asked about.

A tensor is written as its shape and what it holds: "T", the type in question;
"B", the bias that goes with it; or a fixed type, with values where it is a constant.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from tests.graph import tflite_models as fb

TYPES = ("FLOAT32", "FLOAT16", "INT8", "UINT8", "INT16", "INT32", "INT64", "BOOL")
SIZES = {"FLOAT32": 4, "FLOAT16": 2, "INT8": 1, "UINT8": 1, "INT16": 2, "INT32": 4, "INT64": 8,
         "BOOL": 1, "INT4": 1}  # fmt: skip
BIAS = {"FLOAT32": "FLOAT32", "INT16": "INT64"}

MAP, ROW = [1, 4, 4, 2], [1, 4]


@dataclass(frozen=True)
class It:
    """A tensor: *type* "T", "B" or fixed; *values*: a constant of INT32; *stored*: of weights."""

    shape: list[int]
    type: str = "T"
    values: tuple[int, ...] = ()
    stored: bool = False


@dataclass(frozen=True)
class Spec:
    """An op: its inputs, its outputs, its options by class name."""

    inputs: list[It]
    outputs: list[It]
    options: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    scale: dict[str, tuple[float, int]] = field(default_factory=dict)


def numbers(*values: int, shape: list[int] | None = None) -> It:
    return It([len(values)] if shape is None else shape, "INT32", values)


def weights(*shape: int) -> It:
    return It(list(shape), "W", stored=True)


def bias(channels: int) -> It:
    return It([channels], "B", stored=True)


def alike(count: int = 1, options: str = "", out: str = "T", **more: Any) -> Spec:
    return Spec([It(MAP)] * count, [It(MAP, out)], options, **more)


ZERO_TO_ONE = {"INT8": (2.0**-8, -128), "INT16": (2.0**-15, 0)}
ONE = {"INT8": (2.0**-7, 0), "INT16": (2.0**-15, 0)}
POOL = {"filterWidth": 2, "filterHeight": 2, "strideW": 2, "strideH": 2}
CONV = {"strideW": 1, "strideH": 1}
HALF = [1, 2, 2, 2]
PADS = numbers(0, 0, 1, 1, 1, 1, 0, 0, shape=[4, 2])
PADDED = [1, 6, 6, 2]
NONE = numbers(0, 0, 0, 0, shape=[2, 2])

OPS: dict[str, Spec] = {
    "ABS": alike(options="Abs"),
    "ADD": alike(2, "Add"),
    "ADD_N": alike(2, "AddN"),
    "ARG_MAX": Spec([It(MAP), numbers(3, shape=[])], [It([1, 4, 4], "INT32")], "ArgMax"),
    "ARG_MIN": Spec([It(MAP), numbers(3, shape=[])], [It([1, 4, 4], "INT32")], "ArgMin"),
    "AVERAGE_POOL_2D": Spec([It(MAP)], [It(HALF)], "Pool2D", POOL),
    "BATCH_MATMUL": Spec([It([1, 4, 4]), It([1, 4, 4])], [It([1, 4, 4])], "BatchMatMul"),
    "BATCH_TO_SPACE_ND": Spec(
        [It([4, 2, 2, 2]), numbers(2, 2), NONE], [It(MAP)], "BatchToSpaceND"
    ),
    "BROADCAST_ARGS": Spec([It([4]), It([3])], [It([4])]),
    "BROADCAST_TO": Spec([It(ROW), numbers(3, 4)], [It([3, 4])], "BroadcastTo"),
    "CAST": alike(options="Cast", out="FLOAT32"),
    "CEIL": alike(),
    "CONCATENATION": Spec([It(MAP), It(MAP)], [It([1, 4, 4, 4])], "Concatenation", {"axis": 3}),
    "CONV_2D": Spec(
        [It(MAP), weights(2, 3, 3, 2), bias(2)], [It(MAP)], "Conv2D", CONV
    ),
    "COS": alike(options="Cos"),
    "CUMSUM": Spec([It(MAP), numbers(1, shape=[])], [It(MAP)], "Cumsum"),
    "DEPTHWISE_CONV_2D": Spec(
        [It(MAP), weights(1, 3, 3, 2), bias(2)], [It(MAP)], "DepthwiseConv2D",
        {**CONV, "depthMultiplier": 1},
    ),
    "DEPTH_TO_SPACE": Spec(
        [It([1, 2, 2, 8])], [It(MAP)], "DepthToSpace", {"blockSize": 2}
    ),
    "DEQUANTIZE": alike(options="Dequantize", out="FLOAT32"),
    "DIV": alike(2, "Div"),
    "DYNAMIC_UPDATE_SLICE": Spec(
        [It([6, 8]), It([2, 8]), It([2], "INT32")], [It([6, 8])], "DynamicUpdateSlice"
    ),
    "ELU": alike(),
    "EMBEDDING_LOOKUP": Spec([It([2], "INT32"), It([4, 4], stored=True)], [It([2, 4])]),
    "EQUAL": alike(2, "Equal", "BOOL"),
    "EXP": alike(options="Exp"),
    "EXPAND_DIMS": Spec([It(ROW), numbers(0, shape=[])], [It([1, 1, 4])], "ExpandDims"),
    "FILL": Spec([numbers(3, 4), It([])], [It([3, 4])], "Fill"),
    "FLOOR": alike(),
    "FLOOR_DIV": alike(2, "FloorDiv"),
    "FLOOR_MOD": alike(2, "FloorMod"),
    "FULLY_CONNECTED": Spec(
        [It(ROW), weights(3, 4), bias(3)], [It([1, 3])], "FullyConnected"
    ),
    "GATHER": Spec([It([4, 3]), It([2], "INT32")], [It([2, 3])], "Gather"),
    "GATHER_ND": Spec([It([4, 3]), It([2, 1], "INT32")], [It([2, 3])], "GatherNd"),
    "GREATER": alike(2, "Greater", "BOOL"),
    "GREATER_EQUAL": alike(2, "GreaterEqual", "BOOL"),
    "HARD_SWISH": alike(options="HardSwish"),
    "L2_NORMALIZATION": alike(options="L2Norm", scale=ONE),
    "L2_POOL_2D": Spec([It(MAP)], [It(HALF)], "Pool2D", POOL),
    "LEAKY_RELU": alike(options="LeakyRelu", fields={"alpha": 0.25}),
    "LESS": alike(2, "Less", "BOOL"),
    "LESS_EQUAL": alike(2, "LessEqual", "BOOL"),
    "LOG": alike(),
    "LOGICAL_AND": alike(2, "LogicalAnd"),
    "LOGICAL_NOT": alike(options="LogicalNot"),
    "LOGICAL_OR": alike(2, "LogicalOr"),
    "LOGISTIC": alike(scale=ZERO_TO_ONE),
    "LOG_SOFTMAX": alike(options="LogSoftmax", scale={"INT8": (2.0**-4, 127)}),
    "MAXIMUM": alike(2, "MaximumMinimum"),
    "MAX_POOL_2D": Spec([It(MAP)], [It(HALF)], "Pool2D", POOL),
    "MEAN": Spec([It(MAP), numbers(1, 2)], [It([1, 2])], "Reducer"),
    "MINIMUM": alike(2, "MaximumMinimum"),
    "MIRROR_PAD": Spec([It(MAP), PADS], [It(PADDED)], "MirrorPad"),
    "MUL": alike(2, "Mul"),
    "NEG": alike(options="Neg"),
    "NOT_EQUAL": alike(2, "NotEqual", "BOOL"),
    "PACK": Spec([It(ROW), It(ROW)], [It([2, 1, 4])], "Pack", {"axis": 0, "valuesCount": 2}),
    "PAD": Spec([It(MAP), PADS], [It(PADDED)], "Pad"),
    "PADV2": Spec([It(MAP), PADS, It([])], [It(PADDED)], "PadV2"),
    "PRELU": Spec([It(MAP), It([1, 1, 2], stored=True)], [It(MAP)]),
    "QUANTIZE": alike(options="Quantize", out="INT8"),
    "REDUCE_ALL": Spec([It(MAP), numbers(1, 2)], [It([1, 2])], "Reducer"),
    "REDUCE_MAX": Spec([It(MAP), numbers(1, 2)], [It([1, 2])], "Reducer"),
    "REDUCE_MIN": Spec([It(MAP), numbers(1, 2)], [It([1, 2])], "Reducer"),
    "RELU": alike(),
    "RELU6": alike(),
    "RESHAPE": Spec([It(MAP), numbers(1, 32)], [It([1, 32])], "Reshape", {"newShape": [1, 32]}),
    "RESIZE_BILINEAR": Spec([It(MAP), numbers(8, 8)], [It([1, 8, 8, 2])], "ResizeBilinear"),
    "RESIZE_NEAREST_NEIGHBOR": Spec(
        [It(MAP), numbers(8, 8)], [It([1, 8, 8, 2])], "ResizeNearestNeighbor"
    ),
    "REVERSE_V2": Spec([It(MAP), numbers(1)], [It(MAP)], "ReverseV2"),
    "ROUND": alike(),
    "RSQRT": alike(),
    "SELECT_V2": Spec([It(MAP, "BOOL"), It(MAP), It(MAP)], [It(MAP)], "SelectV2"),
    "SHAPE": Spec([It(MAP)], [It([4], "INT32")], "Shape", {"outType": 2}),
    "SIN": alike(),
    "SLICE": Spec([It(MAP), numbers(0, 1, 1, 0), numbers(1, 2, 2, 2)], [It(HALF)], "Slice"),
    "SOFTMAX": Spec([It(ROW)], [It(ROW)], "Softmax", {"beta": 1.0}, ZERO_TO_ONE),
    "SPACE_TO_BATCH_ND": Spec(
        [It(MAP), numbers(2, 2), NONE], [It([4, 2, 2, 2])], "SpaceToBatchND"
    ),
    "SPACE_TO_DEPTH": Spec([It(MAP)], [It([1, 2, 2, 8])], "SpaceToDepth", {"blockSize": 2}),
    "SPLIT": Spec(
        [numbers(1, shape=[]), It(MAP)], [It([1, 2, 4, 2])] * 2, "Split", {"numSplits": 2}
    ),
    "SPLIT_V": Spec(
        [It(MAP), numbers(1, 3), numbers(1, shape=[])], [It([1, 1, 4, 2]), It([1, 3, 4, 2])],
        "SplitV", {"numSplits": 2},
    ),
    "SQRT": alike(),
    "SQUARE": alike(options="Square"),
    "SQUARED_DIFFERENCE": alike(2, "SquaredDifference"),
    "SQUEEZE": Spec([It(ROW)], [It([4])], "Squeeze", {"squeezeDims": [0]}),
    "STRIDED_SLICE": Spec(
        [It(MAP), numbers(0, 0, 0, 0), numbers(1, 4, 4, 2), numbers(1, 2, 2, 1)], [It(HALF)],
        "StridedSlice",
    ),
    "SUB": alike(2, "Sub"),
    "SUM": Spec([It(MAP), numbers(1, 2)], [It([1, 2])], "Reducer"),
    "TANH": alike(scale=ONE),
    "TRANSPOSE": Spec([It(MAP), numbers(0, 2, 1, 3)], [It(MAP)], "Transpose"),
    "TRANSPOSE_CONV": Spec(
        [numbers(1, 4, 4, 2), weights(2, 3, 3, 2), It(MAP), bias(2)], [It(MAP)], "TransposeConv",
        CONV,
    ),
    "UNPACK": Spec([It([2, 4])], [It([4]), It([4])], "Unpack", {"axis": 0, "num": 2}),
    "ZEROS_LIKE": alike(options="ZerosLike"),
}  # fmt: skip
"""Ops whose types are asked for; those of variables, calls and state have tests elsewhere."""

CONVERTING = ("ARG_MAX", "ARG_MIN", "CAST", "DEQUANTIZE", "QUANTIZE", "SHAPE")


@dataclass(frozen=True)
class Case:
    """
    An op on tensors of *dtype*.

    Attributes:
        stored: the type of weights; "": the one that goes with *dtype*.
        out: the type of outputs of a fixed type, where it is another.
        computed: the position of a constant that is to be an input; -1: none.
    """

    kind: str
    dtype: str
    stored: str = ""
    out: str = ""
    computed: int = -1

    def __str__(self) -> str:
        words = (self.kind, self.dtype, self.stored, self.out, self.computed)
        return " ".join(str(word) for word in words if word not in ("", -1))

    def pack(self) -> bytes:
        """The model."""
        return model(
            self.kind, self.dtype, stored=self.stored, out=self.out, computed=self.computed
        )


def type_cases() -> list[Case]:
    """Each op on each type; pairs of types where an op converts, or has weights."""
    plain = [Case(kind, dtype) for kind in OPS for dtype in TYPES]
    pairs = [Case(kind, a, out=b) for kind in CONVERTING for a in TYPES for b in TYPES]
    layers = [kind for kind, spec in OPS.items() if any(it.type == "W" for it in spec.inputs)]
    mixed = [Case(kind, a, b) for kind in layers for a in TYPES for b in (*TYPES, "INT4")]
    return [*plain, *pairs, *mixed]


def constant_cases() -> list[Case]:
    """Each constant of each op as an input instead."""
    return [
        Case(kind, "BOOL" if kind.startswith(("LOGICAL", "REDUCE_ALL")) else "FLOAT32", computed=n)
        for kind, spec in OPS.items()
        for n, it in enumerate(spec.inputs)
        if it.values
    ]


def model(kind: str, dtype: str, *, stored: str = "", out: str = "", computed: int = -1) -> bytes:
    """
    The op on tensors of *dtype*.

    *stored*: the type of weights, *out* of outputs of a fixed type, where they are
    others; *computed*: the position of a constant that is to be an input.
    """
    spec = OPS[kind]
    buffers, tensors, open_inputs = [fb.buffer()], [], []

    def add(it: It, name: str, **more: Any) -> int:
        chosen = {
            "T": dtype,
            "B": BIAS.get(dtype, "INT32"),
            "W": stored or ("INT8" if dtype == "INT16" else dtype),
        }.get(it.type, it.type)
        held = (it.values or it.stored) and name != f"in{computed}"
        if held:
            buffers.append(fb.buffer(_bytes(it, chosen)))
        place = len(buffers) - 1 if held else 0
        if chosen in ("INT8", "UINT8", "INT16", "INT4") and "quantization" not in more:
            more["quantization"] = fb.quantization([2.0**-7], [0])
        elif chosen in ("INT32", "INT64") and (it.type == "B" or kind == "QUANTIZE"):
            more["quantization"] = fb.quantization([2.0**-14], [0])
        tensors.append(fb.tensor(name, it.shape, chosen, place, **more))
        if not held and name.startswith("in"):
            open_inputs.append(len(tensors) - 1)
        return len(tensors) - 1

    inputs = [add(it, f"in{n}") for n, it in enumerate(spec.inputs)]
    scale = spec.scale.get(dtype)
    more = {"quantization": fb.quantization([scale[0]], [scale[1]])} if scale else {}
    outputs = []
    for n, it in enumerate(spec.outputs):
        made = It(it.shape, out) if out and it.type != "T" else it
        outputs.append(add(made, f"out{n}", **more))
    options = _options(spec)
    graph = fb.subgraph(tensors, [fb.op(0, inputs, outputs, options)], open_inputs, outputs)
    return fb.pack(fb.model([fb.code(kind)], [graph], buffers))


def _options(spec: Spec) -> Any:
    if not spec.options:
        return None
    value = getattr(fb.schema, f"{spec.options}OptionsT")()
    for name, item in spec.fields.items():
        setattr(value, name, item)
    return value


def _bytes(it: It, dtype: str) -> bytes:
    if it.values:
        return struct.pack(f"<{len(it.values)}i", *it.values)
    count = 1
    for size in it.shape:
        count *= size
    return bytes([1] * count * SIZES[dtype])
