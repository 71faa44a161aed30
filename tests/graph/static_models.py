"""
Static graphs of many shapes, for comparing memory plans with the runtimes.

`MODELS` maps a name to a function that writes the file. Weights are random and
seeded; sizes are chosen so that plans differ when a lifetime or a tie is wrong.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from static_builder import File, Net, options
from tflite_models import schema

Maker = Callable[[], bytes]
MODELS: dict[str, Maker] = {}


def model(*dtypes: str) -> Callable[[Callable[[Net], object]], Callable[[Net], object]]:
    """Register a graph that one function builds, once for each element type."""

    def register(build: Callable[[Net], object]) -> Callable[[Net], object]:
        for dtype in dtypes:
            MODELS[f"{build.__name__}_{dtype.lower()}"] = lambda dtype=dtype: _pack(build, dtype)
        return build

    return register


def _pack(build: Callable[[Net], object], dtype: str) -> bytes:
    file = File(seed=7)
    net = file.graph(dtype)
    out = build(net)
    net.outputs = net.outputs or (list(out) if isinstance(out, tuple) else [out])  # type: ignore[list-item]
    return file.pack()


@model("INT8", "FLOAT32", "INT16")
def chain(net: Net) -> int:
    x = net.conv(net.input([1, 16, 16, 3]), 8, stride=2)
    x = net.conv(x, 12)
    x = net.pool(x)
    x = net.reshape(x, [1, 192])
    return net.softmax(net.dense(x, 10))


@model("INT8", "FLOAT32")
def residual(net: Net) -> int:
    x = net.conv(net.input([1, 12, 12, 4]), 8)
    for channels, stride in ((8, 1), (16, 2), (16, 1)):
        y = net.conv(net.conv(x, channels, stride=stride), channels)
        x = net.conv(x, channels, 1, stride) if stride > 1 else x
        x = net.relu(net.add(x, y))
    return net.reduce("MEAN", x, [1, 2])


@model("INT8", "FLOAT32")
def inverted_residual(net: Net) -> int:
    x = net.conv(net.input([1, 24, 24, 3]), 8, stride=2)
    for channels, stride in ((8, 1), (12, 2), (12, 1), (12, 1)):
        y = net.conv(x, net.shape(x)[3] * 6, 1)
        y = net.conv(net.depthwise(y, stride=stride), channels, 1)
        x = net.add(x, y) if net.shape(x) == net.shape(y) else y
    return net.conv(x, 40, 1)


@model("INT8", "FLOAT32")
def branching(net: Net) -> int:
    x = net.input([1, 14, 14, 6])
    for _ in range(2):
        a = net.conv(x, 8, 1)
        b = net.conv(net.conv(x, 6, 1), 10)
        c = net.conv(net.conv(net.conv(x, 4, 1), 6), 6)
        d = net.conv(net.relu(x), 4, 1)
        x = net.concat(a, b, c, d)
    return net.dense(net.reshape(x, [1, 14 * 14 * 28]), 3)


@model("INT8")
def densely_connected(net: Net) -> int:
    x = net.conv(net.input([1, 10, 10, 3]), 8)
    for _ in range(5):
        x = net.concat(x, net.conv(net.relu(x), 4))
    return net.pool(x, 10, "AVERAGE_POOL_2D")


@model("INT8", "FLOAT32")
def several_outputs(net: Net) -> tuple[int, ...]:
    x = net.conv(net.input([1, 16, 16, 3]), 8, stride=2)
    y = net.conv(x, 16, stride=2)
    z = net.conv(y, 24, stride=2)
    return net.conv(z, 5, 1), net.conv(x, 5, 1), y, net.conv(y, 5, 1)


@model("INT8")
def shared_inputs(net: Net) -> tuple[int, ...]:
    a, b, unused = net.input([1, 8, 8, 4]), net.input([1, 8, 8, 4]), net.input([1, 50])
    assert unused
    x = net.add(a, net.conv(b, 4))
    return net.add(net.conv(x, 4), a), net.mul(b, x)


@model("INT8", "FLOAT32")
def encoder_decoder(net: Net) -> int:
    a = net.conv(net.input([1, 16, 16, 3]), 6)
    b = net.conv(net.pool(a), 12)
    c = net.conv(net.pool(b), 24)
    b2 = net.concat(b, _upsample(net, c, 12))
    a2 = net.concat(a, _upsample(net, net.conv(b2, 12), 6))
    return net.conv(a2, 2, 1)


@model("INT8", "FLOAT32", "INT16")
def transposed(net: Net) -> int:
    return _upsample(net, net.conv(net.input([1, 6, 6, 4]), 10), 6)


def _upsample(net: Net, x: int, channels: int) -> int:
    n, h, w, depth = net.shape(x)
    out = [n, 2 * h, 2 * w, channels]
    filters = net.weights([channels, 3, 3, depth], "", channels)
    same = options("TransposeConv", padding=schema.Padding.SAME, strideW=2, strideH=2)
    inputs = [net.numbers(out), filters, x, net.bias(channels)]
    return net.op("TRANSPOSE_CONV", inputs, out, options=same)


@model("INT8", "FLOAT32")
def resized(net: Net) -> tuple[int, ...]:
    x = net.conv(net.input([1, 16, 16, 3]), 8, stride=2)
    y = net.conv(x, 8, stride=2)
    size = net.numbers([8, 8])
    up = net.op("RESIZE_NEAREST_NEIGHBOR", [y, size], [1, 8, 8, 8],
                options=options("ResizeNearestNeighbor"))  # fmt: skip
    x = net.add(x, up)
    size = net.numbers([20, 20])
    return y, net.op(
        "RESIZE_BILINEAR", [x, size], [1, 20, 20, 8], options=options("ResizeBilinear")
    )


@model("INT8", "FLOAT32")
def attention(net: Net) -> int:
    x = net.input([1, 12, 16])
    heads = [_split_heads(net, net.dense(x, 16)) for _ in range(3)]
    scores = net.softmax(net.matmul(heads[0], heads[1], adj_y=True))
    mixed = net.transpose(net.matmul(scores, heads[2]), [0, 2, 1, 3])
    x = net.add(x, net.dense(net.reshape(mixed, [1, 12, 16]), 16))
    return net.add(x, net.dense(net.relu(net.dense(x, 64)), 16))


def _split_heads(net: Net, x: int) -> int:
    return net.transpose(net.reshape(x, [1, 12, 2, 8]), [0, 2, 1, 3])


@model("INT8", "FLOAT32")
def squeeze_excite(net: Net) -> int:
    x = net.conv(net.input([1, 10, 10, 3]), 16)
    gate = net.dense(net.reduce("MEAN", x, [1, 2]), 4)
    gate = net.same("LOGISTIC", net.dense(net.relu(gate), 16))
    gate = net.reshape(gate, [1, 1, 1, 16])
    return net.mul(x, gate)


@model("INT8", "FLOAT32")
def padded(net: Net) -> int:
    x = net.input([1, 9, 9, 3])
    amounts = net.numbers([0, 0, 1, 2, 3, 0, 0, 0], shape=[4, 2])
    x = net.op("PAD", [x, amounts], [1, 12, 12, 3], options=options("Pad"))
    return net.conv(net.depthwise(x, stride=2), 8, 1)


@model("INT8", "FLOAT32")
def mirrored(net: Net) -> int:
    x = net.conv(net.input([1, 9, 9, 3]), 5)
    amounts = net.numbers([0, 0, 1, 1, 2, 2, 0, 0], shape=[4, 2])
    x = net.op("MIRROR_PAD", [x, amounts], [1, 11, 13, 5], options=options("MirrorPad"))
    return net.conv(x, 2)


@model("INT8", "FLOAT32")
def split_and_joined(net: Net) -> int:
    x = net.conv(net.input([1, 8, 8, 4]), 12)
    half = [1, 8, 8, 4]
    a = net.op("SPLIT", [net.numbers([3], shape=[]), x], half, half, half,
               options=options("Split", numSplits=3))  # fmt: skip
    return net.concat(a + 2, net.conv(a, 4))  # the second part is not used


@model("INT8", "FLOAT32")
def unevenly_split(net: Net) -> int:
    x = net.conv(net.input([1, 8, 8, 4]), 12)
    inputs = [x, net.numbers([2, 3, 7]), net.numbers([3], shape=[])]
    parts = [[1, 8, 8, 2], [1, 8, 8, 3], [1, 8, 8, 7]]
    a = net.op("SPLIT_V", inputs, *parts, options=options("SplitV", numSplits=3))
    return net.concat(a + 2, net.conv(a + 1, 2), a)


@model("INT8", "FLOAT32")
def sliced(net: Net) -> tuple[int, ...]:
    x = net.conv(net.input([1, 12, 12, 4]), 6)
    cut = [net.numbers([0, 1, 2, 0]), net.numbers([1, 9, 8, 6]), net.numbers([1, 2, 2, 1])]
    a = net.op("STRIDED_SLICE", [x, *cut], [1, 4, 3, 6], options=options("StridedSlice"))
    begin, size = net.numbers([0, 3, 3, 1]), net.numbers([1, 4, 3, 5])
    b = net.op("SLICE", [x, begin, size], [1, 4, 3, 5], options=options("Slice"))
    return net.concat(a, b), net.relu(x)


@model("INT8", "FLOAT32")
def reductions(net: Net) -> tuple[int, ...]:
    x = net.conv(net.input([1, 10, 10, 3]), 20)
    rows = net.reduce("MEAN", x, [1], keep=True)
    total = net.reduce("SUM", x, [1, 2])
    return net.reduce("REDUCE_MAX", rows, [2, 3]), total, net.reduce("REDUCE_MIN", x, [3])


@model("INT16")
def means(net: Net) -> int:
    return net.reduce("MEAN", net.conv(net.input([1, 10, 10, 3]), 20), [1, 2])


@model("INT8", "FLOAT32")
def reshapes(net: Net) -> int:
    x = net.conv(net.input([1, 8, 8, 4]), 8)
    y = net.reshape(x, [1, 64, 8])
    y = net.op("EXPAND_DIMS", [y, net.numbers([1], shape=[1])], [1, 1, 64, 8],
               options=options("ExpandDims"))  # fmt: skip
    y = net.op("SQUEEZE", [y], [64, 8], options=options("Squeeze", squeezeDims=[0, 1]))
    y = net.reshape(net.relu(y), [1, 8, 8, 8])
    return net.add(x, y)


@model("INT8", "FLOAT32")
def depth_and_space(net: Net) -> int:
    x = net.input([1, 12, 12, 3])
    x = net.op("SPACE_TO_DEPTH", [x], [1, 6, 6, 12], options=options("SpaceToDepth", blockSize=2))
    x = net.conv(x, 16)
    return net.op(
        "DEPTH_TO_SPACE", [x], [1, 12, 12, 4], options=options("DepthToSpace", blockSize=2)
    )


@model("INT8", "FLOAT32")
def sums_of_many(net: Net) -> int:
    x = net.input([1, 6, 6, 4])
    parts = [x, net.relu(x), net.relu(x), net.relu(x), net.relu(x)]
    return net.op("ADD_N", parts, net.shape(x), options=options("AddN"))


@model("INT8")
def four_bit_weights(net: Net) -> int:
    x = net.conv(net.input([1, 12, 12, 3]), 16, w="INT4")
    x = net.conv(net.depthwise(x, stride=2, w="INT4"), 12, 1, w="INT4")
    return net.dense(net.reshape(x, [1, 432]), 7, w="INT4")


@model("FLOAT32", "INT8")
def looked_up(net: Net) -> int:
    rows = net.input([1, 5], "INT32")
    x = net.op("GATHER", [net.weights([20, 12]), rows], [1, 5, 12], options=options("Gather"))
    return net.dense(net.relu(x), 30)


@model("INT8")
def dead_code(net: Net) -> int:
    x = net.conv(net.input([1, 12, 12, 3]), 8)
    net.conv(x, 30)  # nobody reads it
    for size in (40, 40, 2000, 60):
        net.tensor([1, size])  # nobody names them
    return net.conv(x, 4)


@model("FLOAT32")
def constants_as_outputs(net: Net) -> tuple[int, ...]:
    x = net.input([1, 40])
    return net.relu(x), net.weights([3, 50]), x


@model("FLOAT32")
def unwritten_output(net: Net) -> tuple[int, ...]:
    x = net.relu(net.input([1, 40]))
    return net.relu(net.relu(x)), net.tensor([1, 90])


@model("FLOAT32")
def unrolled(net: Net) -> int:
    x, state = net.input([1, 6, 5]), net.input([1, 9])
    step = net.op("UNPACK", [x], *[[1, 5]] * 6, options=options("Unpack", num=6, axis=1))
    for k in range(6):
        forget = net.same("LOGISTIC", net.add(net.dense(step + k, 9), net.dense(state, 9)))
        fresh = net.same("TANH", net.add(net.dense(step + k, 9), net.mul(forget, state)))
        state = net.add(net.mul(forget, state), net.mul(fresh, forget))
    return net.dense(state, 3)


@model("FLOAT32", "INT8")
def stacked(net: Net) -> int:
    x = net.input([1, 8])
    rows = [net.dense(x, 10) for _ in range(4)]
    y = net.op("PACK", rows, [1, 4, 10], options=options("Pack", valuesCount=4, axis=1))
    return net.softmax(net.reshape(y, [1, 40]))


def random_graph(seed: int, ops: int = 40) -> bytes:
    """A random acyclic graph of additions, copies and concatenations; many sizes tie."""
    file = File(seed)
    net, pick = file.graph("FLOAT32"), file.random
    alive = [net.input([1, pick.choice((4, 8, 8, 16, 50))]) for _ in range(pick.randint(1, 3))]
    for _ in range(ops):
        x, y = pick.choice(alive[-6:]), pick.choice(alive)
        if net.shape(x) == net.shape(y) and pick.random() < 0.7:
            alive.append(net.add(x, y))
        elif sum(net.shape(x) + net.shape(y)) < 300 and pick.random() < 0.5:
            alive.append(net.concat(x, y, axis=1))
        elif pick.random() < 0.3:
            alive.append(net.dense(x, pick.choice((4, 8, 33))))
        else:
            alive.append(net.relu(x))
    net.outputs = pick.sample(alive, k=pick.randint(1, min(3, len(alive))))
    return file.pack()


def offline_planned() -> bytes:
    """A chain whose file fixes the places of two tensors."""
    file = File()
    net = file.graph("FLOAT32")
    x = net.input([1, 16])
    for _ in range(3):
        x = net.relu(x)
    net.outputs = [x]
    file.note("OfflineMemoryAllocation", struct.pack("<7i", 1, 0, 4, -1, 256, -1, 640))
    return file.pack()


MODELS["offline_planned"] = offline_planned
