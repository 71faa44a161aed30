"""Random graphs full of tensors of one size: which is placed first is up to the tie rule."""

from __future__ import annotations

import random

from static_builder import File, Net, options

SHAPE = [1, 4, 4, 8]


def tied(seed: int) -> bytes:
    """A graph of 6 to 60 ops; it splits, adds, reduces, reshapes and multiplies."""
    choose = random.Random(seed)
    net = File(seed).graph("FLOAT32")
    made = [net.input(SHAPE) for _ in range(choose.choice([1, 1, 2]))]
    for _ in range(choose.choice([6, 20, 60])):
        build = choose.choice(BUILDERS)
        made += build(net, choose.choice(made[-choose.choice([1, 3, 10]) :]), choose)
    ends = [index for op in net.ops[-3:] for index in op.outputs]
    net.outputs = choose.sample(ends, min(len(ends), choose.choice([1, 2, 5])))
    return net.file.pack()


def split(net: Net, x: int, choose: random.Random) -> list[int]:
    shape = net.shape(x)
    parts = choose.choice([2, 4, 8])
    if shape != SHAPE:
        return []
    axis = net.numbers([3], shape=[1])
    size = [1, 4, 4, 8 // parts]
    first = net.op("SPLIT", [axis, x], *[size] * parts, options=options("Split", numSplits=parts))
    return list(range(first, first + parts))


def unpack(net: Net, x: int, choose: random.Random) -> list[int]:
    shape = net.shape(x)
    if len(shape) < 2 or max(shape) == 1:
        return []
    axis = choose.choice([i for i, n in enumerate(shape) if n > 1])
    count, left = shape[axis], shape[:axis] + shape[axis + 1 :]
    chosen = options("Unpack", axis=axis, num=count)
    first = net.op("UNPACK", [x], *[left] * count, options=chosen)
    return list(range(first, first + count))


def reduce(net: Net, x: int, choose: random.Random) -> list[int]:
    kind = choose.choice(["MEAN", "SUM", "REDUCE_MAX"])
    return [net.reduce(kind, x, [choose.randrange(len(net.shape(x)))], keep=True)]


def add(net: Net, x: int, choose: random.Random) -> list[int]:
    other = [i for i in range(x) if net.shape(i) == net.shape(x) and _computed(net, i)]
    return [net.add(x, choose.choice(other or [x]))]


def _computed(net: Net, tensor: int) -> bool:
    return tensor in net.inputs or any(tensor in op.outputs for op in net.ops)


def elementwise(net: Net, x: int, choose: random.Random) -> list[int]:
    return [choose.choice([net.relu, net.softmax])(x)]


def reshape(net: Net, x: int, choose: random.Random) -> list[int]:
    return [net.reshape(x, net.shape(x)[::-1])]


def convolve(net: Net, x: int, choose: random.Random) -> list[int]:
    if net.shape(x) != SHAPE:
        return []
    return [net.conv(x, 8, choose.choice([1, 3]), w=choose.choice(["", "INT8"]))]


def multiply(net: Net, x: int, choose: random.Random) -> list[int]:
    return [net.matmul(x, x, adj_y=True)] if 1 < len(net.shape(x)) < 5 else []


BUILDERS = (split, unpack, reduce, add, elementwise, reshape, convolve, multiply)
