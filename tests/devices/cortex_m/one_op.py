"""Models of one integer operator drawn at random (shapes, strides, scales), and a small network."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.graph import tflite_models as fb
from tests.graph.tflite_models import schema

VERSIONS = {
    "ADD": 2, "AVERAGE_POOL_2D": 2, "CONCATENATION": 2, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3,
    "DEQUANTIZE": 2, "LOGISTIC": 2, "EXPAND_DIMS": 1, "FULLY_CONNECTED": 4, "LEAKY_RELU": 2, "MAX_POOL_2D": 2, "MEAN": 2,
    "MUL": 2, "PAD": 2, "QUANTIZE": 2, "RELU": 2, "RELU6": 2, "RESHAPE": 1, "SOFTMAX": 2,
    "SHAPE": 1, "SQUEEZE": 1, "TANH": 2,
}  # fmt: skip
ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
FORMATS = {"INT8": "b", "INT32": "i", "FLOAT32": "f"}


class OneOp:
    """A model in the making: tensors, constants, then one operator."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.tensors: list[Any] = []
        self.codes: list[str] = []
        self.ops: list[Any] = []
        self.buffers = [fb.buffer()]
        self.inputs: list[int] = []

    def scale(self, low: float = 1e-3, high: float = 0.3) -> float:
        """Such as quantizers give."""
        return math.exp(self.random.uniform(math.log(low), math.log(high)))

    def zero(self) -> int:
        return self.random.choice([-128, 127, 0, self.random.randint(-128, 127)])

    def tensor(
        self, shape: Sequence[int], scale: float = 0.0, zero: int = 0, type_: str = "INT8"
    ) -> int:
        more = {"quantization": fb.quantization([scale], [zero])} if scale else {}
        self.tensors.append(fb.tensor(f"t{len(self.tensors)}", list(shape), type_, **more))
        return len(self.tensors) - 1

    def input(
        self, shape: Sequence[int], scale: float = 0.0, zero: int = 0, type_: str = "INT8"
    ) -> int:
        self.inputs.append(self.tensor(shape, scale, zero, type_))
        return self.inputs[-1]

    def constant(
        self, shape: Sequence[int], values: Sequence[float], type_: str, quantization: Any = None
    ) -> int:
        data = struct.pack(f"<{len(values)}{FORMATS[type_]}", *values)
        self.buffers.append(fb.buffer(data))
        more = {"quantization": quantization} if quantization else {}
        index = len(self.tensors)
        self.tensors.append(
            fb.tensor(f"t{index}", list(shape), type_, len(self.buffers) - 1, **more)
        )
        return index

    def numbers(self, *values: int) -> int:
        return self.constant([len(values)], values, "INT32")

    def weights(self, shape: Sequence[int], scales: Sequence[float], axis: int) -> int:
        values = self.random.choices(range(-127, 128), k=math.prod(shape))
        found = fb.quantization(list(scales), [0] * len(scales), axis)
        return self.constant(shape, values, "INT8", found)

    def bias(self, scales: Sequence[float], spread: int) -> int:
        values = [self.random.randint(-spread, spread) for _ in scales]
        found = fb.quantization(list(scales), [0] * len(scales))
        return self.constant([len(scales)], values, "INT32", found)

    def op(self, kind: str, inputs: Sequence[int], output: int, options: Any = None) -> int:
        """Add an operator; returns its output."""
        if kind not in self.codes:
            self.codes.append(kind)
        self.ops.append(fb.op(self.codes.index(kind), list(inputs), [output], options))
        return output

    def pack(self, output: int) -> bytes:
        codes = [fb.code(kind, VERSIONS[kind]) for kind in self.codes]
        graph = fb.subgraph(self.tensors, self.ops, self.inputs, [output])
        return fb.pack(fb.model(codes, [graph], self.buffers))

    def finish(self, kind: str, inputs: Sequence[int], output: int, options: Any = None) -> bytes:
        """The model of this operator alone."""
        return self.pack(self.op(kind, inputs, output, options))


def options(name: str, **fields: Any) -> Any:
    value = getattr(schema, f"{name}OptionsT")()
    for key, item in fields.items():
        setattr(value, key, item)
    return value


def activation(net: OneOp) -> int:
    return int(getattr(schema.ActivationFunctionType, net.random.choice(ACTIVATIONS)))


def windows(length: int, size: int, stride: int, padding: int) -> int:
    return -(-length // stride) if padding == 0 else -(-(length - size + 1) // stride)


def _window(net: OneOp, dilated: bool) -> dict[str, int]:
    """Sizes, strides, dilations and padding that fit in an image of at most 12 by 12."""
    draw = net.random.randint
    found = {"size_h": draw(1, 4), "size_w": draw(1, 4), "padding": draw(0, 1)}
    found |= {"stride_h": draw(1, 3), "stride_w": draw(1, 3)}
    spread = draw(1, 3) if dilated and net.random.random() < 0.3 else 1
    found |= {"dilation": spread}
    for axis in "hw":
        reach = (found[f"size_{axis}"] - 1) * spread + 1
        found[f"in_{axis}"] = draw(reach, reach + 8) if found["padding"] else draw(1, 10)
        found[f"out_{axis}"] = windows(
            found[f"in_{axis}"], reach, found[f"stride_{axis}"], found["padding"]
        )
    return found


def _output_scale(net: OneOp, product: float, count: int) -> float:
    """So that sums of *count* products fill the range of int8 more or less."""
    return product * 64 * 64 * math.sqrt(count) / 100 * math.exp(net.random.uniform(-2, 2))


def convolution(seed: int) -> bytes:
    net = OneOp(seed)
    place, draw = _window(net, dilated=True), net.random.randint
    batch, groups = draw(1, 2), net.random.choice([1, 1, 1, 2])
    depth, channels = draw(1, 6) * groups, draw(1, 8) * groups
    each = net.random.random() < 0.7
    before = net.scale()
    scales = [net.scale(1e-4, 1e-1) for _ in range(channels if each else 1)]
    after = _output_scale(net, before * max(scales), place["size_h"] * place["size_w"] * depth)
    x = net.input([batch, place["in_h"], place["in_w"], depth], before, net.zero())
    kernel = [channels, place["size_h"], place["size_w"], depth // groups]
    inputs = [x, net.weights(kernel, scales, 0)]
    wide = (scales * channels)[:channels]
    inputs.append(net.bias([before * s for s in wide], 20000) if net.random.random() < 0.8 else -1)
    out = net.tensor([batch, place["out_h"], place["out_w"], channels], after, net.zero())
    chosen = options(
        "Conv2D", padding=place["padding"], strideH=place["stride_h"], strideW=place["stride_w"],
        dilationHFactor=place["dilation"], dilationWFactor=place["dilation"],
        fusedActivationFunction=activation(net),
    )  # fmt: skip
    return net.finish("CONV_2D", inputs, out, chosen)


def depthwise(seed: int) -> bytes:
    net = OneOp(seed)
    place, draw = _window(net, dilated=True), net.random.randint
    batch, depth, multiplier = draw(1, 2), draw(1, 9), net.random.choice([1, 1, 2, 3])
    channels = depth * multiplier
    each = net.random.random() < 0.7
    before = net.scale()
    scales = [net.scale(1e-4, 1e-1) for _ in range(channels if each else 1)]
    after = _output_scale(net, before * max(scales), place["size_h"] * place["size_w"])
    x = net.input([batch, place["in_h"], place["in_w"], depth], before, net.zero())
    kernel = [1, place["size_h"], place["size_w"], channels]
    inputs = [x, net.weights(kernel, scales, 3)]
    wide = (scales * channels)[:channels]
    inputs.append(net.bias([before * s for s in wide], 9000))
    out = net.tensor([batch, place["out_h"], place["out_w"], channels], after, net.zero())
    chosen = options(
        "DepthwiseConv2D", padding=place["padding"], strideH=place["stride_h"],
        strideW=place["stride_w"], depthMultiplier=multiplier, dilationHFactor=place["dilation"],
        dilationWFactor=place["dilation"], fusedActivationFunction=activation(net),
    )  # fmt: skip
    return net.finish("DEPTHWISE_CONV_2D", inputs, out, chosen)


def dense(seed: int) -> bytes:
    net = OneOp(seed)
    draw = net.random.randint
    rows, inputs, units = draw(1, 4), draw(1, 70), draw(1, 20)
    before, scales = net.scale(), [net.scale(1e-4, 1e-1)]
    if net.random.random() < 0.2:
        scales = [net.scale(1e-4, 1e-1) for _ in range(units)]
    after = _output_scale(net, before * max(scales), inputs)
    x = net.input([rows, inputs], before, net.zero())
    operands = [x, net.weights([units, inputs], scales, 0)]
    wide = (scales * units)[:units]
    operands.append(net.bias([before * s for s in wide], 20000) if draw(0, 4) else -1)
    out = net.tensor([rows, units], after, net.zero())
    chosen = options("FullyConnected", fusedActivationFunction=activation(net))
    return net.finish("FULLY_CONNECTED", operands, out, chosen)


def _pool(kind: str, seed: int) -> bytes:
    net = OneOp(seed)
    place, draw = _window(net, dilated=False), net.random.randint
    batch, depth, scale, zero = draw(1, 2), draw(1, 9), net.scale(), net.zero()
    x = net.input([batch, place["in_h"], place["in_w"], depth], scale, zero)
    out = net.tensor([batch, place["out_h"], place["out_w"], depth], scale, zero)
    chosen = options(
        "Pool2D", padding=place["padding"], strideH=place["stride_h"], strideW=place["stride_w"],
        filterHeight=place["size_h"], filterWidth=place["size_w"],
        fusedActivationFunction=activation(net),
    )  # fmt: skip
    return net.finish(kind, [x], out, chosen)


def average_pool(seed: int) -> bytes:
    return _pool("AVERAGE_POOL_2D", seed)


def max_pool(seed: int) -> bytes:
    return _pool("MAX_POOL_2D", seed)


def softmax(seed: int) -> bytes:
    net = OneOp(seed)
    shape = [net.random.randint(1, 4), net.random.choice([1, 2, 3, 10, 100, 400])]
    x = net.input(shape, net.scale(1e-3, 2.0), net.zero())
    out = net.tensor(shape, 1 / 256, -128)
    beta = net.random.choice([1.0, 1.0, 0.5, 2.0])
    return net.finish("SOFTMAX", [x], out, options("Softmax", beta=beta))


def _operands(net: OneOp) -> tuple[list[int], list[int], list[int]]:
    """Shapes of two operands and of their result."""
    whole = [net.random.randint(1, 6) for _ in range(net.random.randint(1, 4))]
    a, b = list(whole), list(whole)
    kind = net.random.choice(["same", "same", "scalar", "some", "short"])
    if kind == "scalar":
        b = [1]
    elif kind == "some":
        for axis in range(len(whole)):
            (a if net.random.random() < 0.5 else b)[axis] = net.random.choice([1, whole[axis]])
    elif kind == "short":
        b = whole[net.random.randint(0, len(whole) - 1) :]
    width = max(len(a), len(b))
    wide = [[1] * (width - len(s)) + s for s in (a, b)]
    return a, b, [max(pair) for pair in zip(*wide, strict=True)]


def _binary(kind: str, seed: int, name: str) -> bytes:
    net = OneOp(seed)
    a, b, whole = _operands(net)
    first, second = net.scale(), net.scale()
    x = net.input(a, first, net.zero())
    if net.random.random() < 0.2:
        values = net.random.choices(range(-128, 128), k=math.prod(b))
        y = net.constant(b, values, "INT8", fb.quantization([second], [net.zero()]))
    else:
        y = net.input(b, second, net.zero())
    wide = first + second if kind == "ADD" else first * second * 100
    out = net.tensor(whole, wide * math.exp(net.random.uniform(-2, 1)), net.zero())
    chosen = options(name, fusedActivationFunction=activation(net))
    return net.finish(kind, [x, y], out, chosen)


def add(seed: int) -> bytes:
    return _binary("ADD", seed, "Add")


def mul(seed: int) -> bytes:
    return _binary("MUL", seed, "Mul")


def quantize(seed: int) -> bytes:
    """int8 to int8 in other steps, or floats to int8."""
    net = OneOp(seed)
    shape = [net.random.randint(1, 5), net.random.randint(1, 60)]
    if net.random.random() < 0.4:
        x = net.input(shape, type_="FLOAT32")
    else:
        x = net.input(shape, net.scale(), net.zero())
    return net.finish("QUANTIZE", [x], net.tensor(shape, net.scale(), net.zero()))


def dequantize(seed: int) -> bytes:
    net = OneOp(seed)
    shape = [net.random.randint(1, 5), net.random.randint(1, 60)]
    x = net.input(shape, net.scale(), net.zero())
    return net.finish("DEQUANTIZE", [x], net.tensor(shape, type_="FLOAT32"))


def relu(seed: int) -> bytes:
    net = OneOp(seed)
    shape = [net.random.randint(1, 5), net.random.randint(1, 60)]
    scale, zero = net.scale(), net.zero()
    x = net.input(shape, scale, zero)
    if net.random.random() < 0.5:  # of another scale it is no RELU6 in TensorFlow Lite Micro
        return net.finish("RELU6", [x], net.tensor(shape, scale, zero))
    return net.finish("RELU", [x], net.tensor(shape, net.scale(), net.zero()))


def reshape(seed: int) -> bytes:
    net = OneOp(seed)
    a, b, c = (net.random.randint(1, 6) for _ in range(3))
    scale, zero = net.scale(), net.zero()
    x = net.input([1, a, b, c], scale, zero)
    shape = net.random.choice([[1, a * b * c], [a, b * c], [c, b, a]])
    out = net.tensor(shape, scale, zero)
    return net.finish("RESHAPE", [x, net.numbers(*shape)], out, options("Reshape", newShape=shape))


def concatenation(seed: int) -> bytes:
    net = OneOp(seed)
    rank, scale, zero = net.random.randint(1, 4), net.scale(), net.zero()
    axis = net.random.randrange(rank)
    shape = [net.random.randint(1, 5) for _ in range(rank)]
    parts = [[*shape[:axis], net.random.randint(1, 4), *shape[axis + 1 :]] for _ in range(3)]
    inputs = [net.input(part, scale, zero) for part in parts]
    whole = [*shape[:axis], sum(part[axis] for part in parts), *shape[axis + 1 :]]
    chosen = options("Concatenation", axis=net.random.choice([axis, axis - rank]))
    return net.finish("CONCATENATION", inputs, net.tensor(whole, scale, zero), chosen)


def pad(seed: int) -> bytes:
    net = OneOp(seed)
    rank, scale, zero = net.random.randint(1, 4), net.scale(), net.zero()
    shape = [net.random.randint(1, 5) for _ in range(rank)]
    amounts = [net.random.randint(0, 3) for _ in range(2 * rank)]
    x = net.input(shape, scale, zero)
    whole = [n + amounts[2 * i] + amounts[2 * i + 1] for i, n in enumerate(shape)]
    padding = net.constant([rank, 2], amounts, "INT32")
    return net.finish("PAD", [x, padding], net.tensor(whole, scale, zero), options("Pad"))


def mean(seed: int) -> bytes:
    net = OneOp(seed)
    shape = [net.random.randint(1, 2), *(net.random.randint(1, 9) for _ in range(3))]
    kept = net.random.random() < 0.5
    axes = net.random.choice([[1, 2], [1, 2], [1], [2, 3], [-1], [1, 2, 3]])
    gone = {axis % 4 for axis in axes}
    x = net.input(shape, net.scale(), net.zero())
    out = [1 if i in gone else n for i, n in enumerate(shape) if kept or i not in gone]
    y = net.tensor(out, net.scale(), net.zero())
    return net.finish("MEAN", [x, net.numbers(*axes)], y, options("Reducer", keepDims=kept))


def _curve(kind: str, seed: int, scale: float, zero: int) -> bytes:
    """All 256 numbers go in."""
    net = OneOp(seed)
    x = net.input([1, 300], net.scale(1e-4, 1.0), net.zero())
    return net.finish(kind, [x], net.tensor([1, 300], scale, zero))


def logistic(seed: int) -> bytes:
    return _curve("LOGISTIC", seed, 1 / 256, -128)


def tanh(seed: int) -> bytes:
    return _curve("TANH", seed, 1 / 128, 0)


MAKERS: Mapping[str, Callable[[int], bytes]] = {
    "convolution": convolution,
    "depthwise": depthwise,
    "dense": dense,
    "average_pool": average_pool,
    "max_pool": max_pool,
    "softmax": softmax,
    "add": add,
    "mul": mul,
    "quantize": quantize,
    "dequantize": dequantize,
    "relu": relu,
    "reshape": reshape,
    "concatenation": concatenation,
    "pad": pad,
    "mean": mean,
    "logistic": logistic,
    "tanh": tanh,
}


def network(seed: int = 0, side: int = 8, channels: int = 8) -> bytes:
    """Images of one channel through each layer that MLPerf Tiny's models have, to 4 classes."""
    net = OneOp(seed)
    x = net.input([1, side, side, 1], 0.05, -7)
    shape = [1, side, side, channels]

    def weights(kernel: list[int], axis: int, before: float) -> list[int]:
        scales = [net.scale(2e-3, 8e-3) for _ in range(kernel[axis])]
        return [net.weights(kernel, scales, axis), net.bias([before * s for s in scales], 500)]

    same = {"padding": 0, "strideH": 1, "strideW": 1, "fusedActivationFunction": 1}
    first = net.op(
        "CONV_2D", [x, *weights([channels, 3, 3, 1], 0, 0.05)], net.tensor(shape, 0.04, -128),
        options("Conv2D", **same),
    )  # fmt: skip
    second = net.op(
        "DEPTHWISE_CONV_2D", [first, *weights([1, 3, 3, channels], 3, 0.04)],
        net.tensor(shape, 0.05, 3), options("DepthwiseConv2D", depthMultiplier=1, **same),
    )  # fmt: skip
    third = net.op("ADD", [first, second], net.tensor(shape, 0.06, -20), options("Add"))
    pooled = net.op(
        "AVERAGE_POOL_2D", [third], net.tensor([1, side // 2, side // 2, channels], 0.06, -20),
        options("Pool2D", padding=1, strideH=2, strideW=2, filterHeight=2, filterWidth=2),
    )  # fmt: skip
    count = channels * side * side // 4
    flat = net.op(
        "RESHAPE", [pooled, net.numbers(1, count)], net.tensor([1, count], 0.06, -20),
        options("Reshape", newShape=[1, count]),
    )  # fmt: skip
    dense = [net.weights([4, count], [0.004], 0), net.bias([0.06 * 0.004] * 4, 500)]
    logits = net.op(
        "FULLY_CONNECTED", [flat, *dense], net.tensor([1, 4], 0.1, 5), options("FullyConnected")
    )
    out = net.op(
        "SOFTMAX", [logits], net.tensor([1, 4], 1 / 256, -128), options("Softmax", beta=1.0)
    )
    return net.pack(out)


BLOCKS = (
    (16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (128, 1), (128, 1), (128, 1),
    (128, 1), (256, 2), (256, 1),
)  # fmt: skip
"""Channels and strides of MobileNet v1 with a quarter of its channels (Howard et al. 2017)."""


def visual_wake_words(seed: int = 0, side: int = 96) -> bytes:
    """The architecture of MLPerf Tiny's visual wake words, with weights drawn at random."""
    net = OneOp(seed)
    x, step, depth = net.input([1, side, side, 3], 1 / 128, 0), 1 / 128, 3

    def filtered(kind: str, kernel: list[int], channels: int, stride: int) -> None:
        nonlocal x, step, depth, side
        scales = [net.scale(2e-3, 6e-3) for _ in range(channels)]
        count = kernel[1] * kernel[2] * (kernel[3] if kind == "CONV_2D" else 1)
        after = step * 4e-3 * 64 * 74 * math.sqrt(count) / 100
        inputs = [x, net.weights(kernel, scales, 0 if kind == "CONV_2D" else 3)]
        inputs.append(net.bias([step * each for each in scales], 500))
        side, depth = -(-side // stride), channels
        name = "Conv2D" if kind == "CONV_2D" else "DepthwiseConv2D"
        more = {} if kind == "CONV_2D" else {"depthMultiplier": 1}
        chosen = options(
            name, padding=0, strideH=stride, strideW=stride, fusedActivationFunction=1, **more
        )
        x = net.op(kind, inputs, net.tensor([1, side, side, channels], after, -128), chosen)
        step = after

    filtered("CONV_2D", [8, 3, 3, 3], 8, 2)
    for channels, stride in BLOCKS:
        filtered("DEPTHWISE_CONV_2D", [1, 3, 3, depth], depth, stride)
        filtered("CONV_2D", [channels, 1, 1, depth], channels, 1)
    pool = options(
        "Pool2D", padding=1, strideH=side, strideW=side, filterHeight=side, filterWidth=side
    )
    x = net.op("AVERAGE_POOL_2D", [x], net.tensor([1, 1, 1, depth], step, -128), pool)
    shape = options("Reshape", newShape=[1, depth])
    flat = net.tensor([1, depth], step, -128)
    x = net.op("RESHAPE", [x, net.numbers(1, depth)], flat, shape)
    dense = [net.weights([2, depth], [0.004], 0), net.bias([step * 0.004] * 2, 500)]
    logits = net.tensor([1, 2], step * 0.004 * 64 * 20, 0)
    x = net.op("FULLY_CONNECTED", [x, *dense], logits, options("FullyConnected"))
    out = net.tensor([1, 2], 1 / 256, -128)
    return net.pack(net.op("SOFTMAX", [x], out, options("Softmax", beta=1.0)))
