"""Writes .tflite graphs op by op: small, seeded, with the versions that runtimes expect."""

from __future__ import annotations

import random
import struct
from typing import Any

import tflite_models as fb
from tflite_models import schema

FORMATS = {"FLOAT32": "f", "INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q", "BOOL": "?"}

PROBABILITIES = {
    "INT8": fb.quantization([2.0**-8], [-128]),
    "INT16": fb.quantization([2.0**-15], [0]),
}

# The first versions that know int8; 16-bit activations need a little more.
VERSIONS = {
    "ADD": 2, "AVERAGE_POOL_2D": 2, "BATCH_MATMUL": 2, "CONCATENATION": 2, "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4, "LOGISTIC": 2, "MAX_POOL_2D": 2, "MEAN": 2,
    "MUL": 2, "PAD": 2, "REDUCE_MAX": 2, "REDUCE_MIN": 2, "RELU": 2, "RESIZE_BILINEAR": 2,
    "RESIZE_NEAREST_NEIGHBOR": 2, "SLICE": 2, "SOFTMAX": 2, "SPLIT": 2, "SPLIT_V": 2,
    "STRIDED_SLICE": 2, "SUB": 2, "SUM": 2, "SVDF": 3, "TANH": 2, "TRANSPOSE": 2,
    "TRANSPOSE_CONV": 3, "UNPACK": 2, "PACK": 2, "GATHER": 2, "LEAKY_RELU": 2, "MAXIMUM": 2,
    "SPACE_TO_DEPTH": 2, "MIRROR_PAD": 2, "ADD_N": 1,
}  # fmt: skip
VERSIONS_INT16 = {
    "ADD": 4, "AVERAGE_POOL_2D": 3, "CONCATENATION": 3, "CONV_2D": 4, "DEPTHWISE_CONV_2D": 5,
    "FULLY_CONNECTED": 7, "MEAN": 3, "SUM": 2, "SOFTMAX": 3, "TRANSPOSE_CONV": 3, "RELU": 3,
    "MAX_POOL_2D": 3, "RESHAPE": 1, "LOGISTIC": 3, "TANH": 3, "MUL": 5,
}  # fmt: skip


def options(name: str, **fields: Any) -> Any:
    """An options table of the schema, its enumerations by their names."""
    value = getattr(schema, f"{name}OptionsT")()
    for key, item in fields.items():
        setattr(value, key, item)
    return value


class File:
    """A model in the making: op codes and buffers that its graphs share."""

    def __init__(self, seed: int = 0) -> None:
        self.codes: dict[tuple[str, int], int] = {}
        self.buffers = [fb.buffer()]
        self.graphs: list[Net] = []
        self.random = random.Random(seed)
        self.metadata: list[Any] = []

    def graph(self, dtype: str = "INT8", name: str = "main") -> Net:
        net = Net(self, dtype, name)
        self.graphs.append(net)
        return net

    def buffer(self, data: bytes) -> int:
        self.buffers.append(fb.buffer(data))
        return len(self.buffers) - 1

    def code(self, kind: str, version: int) -> int:
        return self.codes.setdefault((kind, version), len(self.codes))

    def note(self, name: str, data: bytes) -> None:
        item = schema.MetadataT()
        item.name, item.buffer = name.encode(), self.buffer(data)
        self.metadata.append(item)

    def pack(self) -> bytes:
        codes = [fb.code(kind, version) for kind, version in self.codes]
        graphs = [
            fb.subgraph(net.tensors, net.ops, net.inputs, net.outputs, net.name)
            for net in self.graphs
        ]
        more = {"metadata": self.metadata} if self.metadata else {}
        return fb.pack(fb.model(codes, graphs, self.buffers, **more))


class Net:
    """One graph: each method adds an op and returns the index of its output."""

    def __init__(self, file: File, dtype: str, name: str) -> None:
        self.file, self.dtype, self.name = file, dtype, name
        self.tensors: list[Any] = []
        self.ops: list[Any] = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []

    # --- tensors ---------------------------------------------------------------

    def tensor(self, shape: list[int], dtype: str = "", buffer: int = 0, **more: Any) -> int:
        kind = dtype or self.dtype
        if kind in ("INT8", "INT16") and "quantization" not in more:
            more["quantization"] = fb.quantization([2.0**-7], [0])
        number = len(self.tensors)
        self.tensors.append(fb.tensor(f"{self.name}_{number}", shape, kind, buffer, **more))
        return number

    def input(self, shape: list[int], dtype: str = "") -> int:
        self.inputs.append(self.tensor(shape, dtype))
        return self.inputs[-1]

    def numbers(self, values: list[int], dtype: str = "INT32", shape: Any = None) -> int:
        data = struct.pack(f"<{len(values)}{FORMATS[dtype]}", *values)
        return self.tensor([len(values)] if shape is None else shape, dtype, self.file.buffer(data))

    def weights(self, shape: list[int], dtype: str = "", channels: int = -1, axis: int = 0) -> int:
        """A random constant; *channels* scales along *axis* when it is quantized."""
        kind = dtype or ("FLOAT32" if self.dtype == "FLOAT32" else "INT8")
        count = 1
        for n in shape:
            count *= n
        more: dict[str, Any] = {}
        if kind in ("INT8", "INT4", "INT16"):
            scales = [2.0**-7] * max(channels, 1)
            more["quantization"] = fb.quantization(scales, [0] * len(scales), axis)
        if kind == "INT4":
            data = self.file.random.randbytes((count + 1) // 2)
        elif kind == "FLOAT32":
            data = struct.pack(
                f"<{count}f", *(self.file.random.uniform(-1, 1) for _ in range(count))
            )
        else:
            low = self.file.random.choices(range(-100, 100), k=count)
            data = struct.pack(f"<{count}{FORMATS[kind]}", *low)
        return self.tensor(shape, kind, self.file.buffer(data), **more)

    def bias(self, channels: int) -> int:
        kind = {"FLOAT32": "FLOAT32", "INT8": "INT32", "INT16": "INT64"}[self.dtype]
        more = {}
        if kind != "FLOAT32":
            more["quantization"] = fb.quantization([2.0**-14] * channels, [0] * channels)
        data = struct.pack(f"<{channels}{FORMATS[kind]}", *range(channels))
        return self.tensor([channels], kind, self.file.buffer(data), **more)

    def shape(self, tensor: int) -> list[int]:
        return list(self.tensors[tensor].shape)

    # --- ops -------------------------------------------------------------------

    def op(
        self,
        kind: str,
        inputs: list[int],
        *shapes: list[int],
        options: Any = None,
        dtype: str = "",
        version: int = 0,
        **more: Any,
    ) -> int:
        """An op; returns its first output (the others follow it). No shapes: no output."""
        known = VERSIONS_INT16 if self.dtype == "INT16" else VERSIONS
        scale = {}
        if kind in ("SOFTMAX", "LOGISTIC") and self.dtype != "FLOAT32":  # fixed: 0 to 1
            scale["quantization"] = PROBABILITIES[self.dtype]
        outputs = [self.tensor(shape, dtype, **scale) for shape in shapes]
        code = self.file.code(kind, version or known.get(kind, 1))
        self.ops.append(fb.op(code, inputs, outputs, options, **more))
        return outputs[0] if outputs else -1

    def same(self, kind: str, x: int, options: Any = None) -> int:
        """An op whose output is like its input."""
        return self.op(kind, [x], self.shape(x), options=options)

    def relu(self, x: int) -> int:
        return self.same("RELU", x)

    def add(self, x: int, y: int) -> int:
        return self.op("ADD", [x, y], self.shape(x), options=options("Add"))

    def mul(self, x: int, y: int) -> int:
        return self.op("MUL", [x, y], self.shape(x), options=options("Mul"))

    def conv(self, x: int, channels: int, kernel: int = 3, stride: int = 1, w: str = "") -> int:
        n, h, width, depth = self.shape(x)
        filters = self.weights([channels, kernel, kernel, depth], w, channels)
        out = [n, -(-h // stride), -(-width // stride), channels]
        return self.op(
            "CONV_2D", [x, filters, self.bias(channels)], out,
            options=options("Conv2D", strideW=stride, strideH=stride), version=6 if w == "INT4" else 0,
        )  # fmt: skip

    def depthwise(self, x: int, kernel: int = 3, stride: int = 1, w: str = "") -> int:
        n, h, width, depth = self.shape(x)
        filters = self.weights([1, kernel, kernel, depth], w, depth, axis=3)
        out = [n, -(-h // stride), -(-width // stride), depth]
        return self.op(
            "DEPTHWISE_CONV_2D", [x, filters, self.bias(depth)], out,
            options=options("DepthwiseConv2D", strideW=stride, strideH=stride, depthMultiplier=1),
            version=6 if w == "INT4" else 0,
        )  # fmt: skip

    def dense(self, x: int, units: int, w: str = "") -> int:
        shape = self.shape(x)
        weights = self.weights([units, shape[-1]], w)
        return self.op(
            "FULLY_CONNECTED", [x, weights, self.bias(units)], [*shape[:-1], units],
            options=options("FullyConnected", keepNumDims=len(shape) != 2),
            version=10 if w == "INT4" else 5 if len(shape) != 2 else 0,
        )  # fmt: skip

    def pool(self, x: int, size: int = 2, kind: str = "MAX_POOL_2D") -> int:
        n, h, w, c = self.shape(x)
        fields = dict.fromkeys(("strideW", "strideH", "filterWidth", "filterHeight"), size)
        valid = options("Pool2D", padding=schema.Padding.VALID, **fields)
        return self.op(kind, [x], [n, h // size, w // size, c], options=valid)

    def concat(self, *xs: int, axis: int = 3) -> int:
        shape = self.shape(xs[0])
        shape[axis] = sum(self.shape(x)[axis] for x in xs)
        return self.op(
            "CONCATENATION", list(xs), shape, options=options("Concatenation", axis=axis)
        )

    def reshape(self, x: int, shape: list[int]) -> int:
        target = self.numbers(shape)
        return self.op("RESHAPE", [x, target], shape, options=options("Reshape", newShape=shape))

    def softmax(self, x: int) -> int:
        return self.same("SOFTMAX", x, options("Softmax", beta=1.0))

    def reduce(self, kind: str, x: int, axes: list[int], keep: bool = False) -> int:
        shape = self.shape(x)
        left = [1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes]
        chosen = options("Reducer", keepDims=keep)
        return self.op(kind, [x, self.numbers(axes)], left, options=chosen)

    def transpose(self, x: int, order: list[int]) -> int:
        shape = self.shape(x)
        return self.op("TRANSPOSE", [x, self.numbers(order)], [shape[i] for i in order],
                       options=options("Transpose"))  # fmt: skip

    def matmul(self, x: int, y: int, adj_y: bool = False) -> int:
        other = self.shape(y)
        out = [*self.shape(x)[:-1], other[-2] if adj_y else other[-1]]
        return self.op("BATCH_MATMUL", [x, y], out, options=options("BatchMatMul", adjY=adj_y))
