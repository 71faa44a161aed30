"""
The micro-models: each one kind of op, several times in a row, over sizes that tell costs apart.

Small ones tell what an op costs by itself, large ones arithmetic, those with many
channels and few pixels what weights cost, those with odd sizes how kernels round up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from pytest_edgebudget.calibrate.net import Net

PRECISIONS = ("fp32", "int8", "hybrid")
_LONG = len("768-768")
"""From such sizes on, one dense layer is as many weights as a chip's second cache holds."""
_MACS = 2_000_000
"""As many of a micro-model at least, unless it has eight ops."""

_CONVS = """
    32x32x3-16 32x32x3-32 96x96x3-8/2 64x64x3-24/2 49x10x1-64:10x4/2 28x28x1-8:5x5 40x30x1-16
    14x14x8-16:5x5 32x32x16-16 32x32x16-32/2 16x16x32-32 16x16x32-64/2 8x8x64-64 32x32x8-8
    32x32x24-24 16x16x64-64 16x16x16-16 16x16x48-48 8x8x32-32 8x8x16-16 8x8x128-128 4x4x64-64
    4x4x128-128 4x4x32-64 12x12x20-20 40x30x12-24 20x15x24-48 10x7x48-64 32x32x32-32 32x32x64-32
    20x20x40-80/2 5x5x96-96
    32x32x40-40 16x16x72-72 16x16x40-80/2 8x8x160-160 24x24x56-56 14x14x20-20
"""
_POINTS = """
    25x5x64-64 32x32x16-32 32x32x16-16 16x16x32-64/2 32x32x16-32/2 48x48x8-16 24x24x16-32
    24x24x32-32 12x12x64-64 12x12x32-64 6x6x128-128 6x6x64-128 3x3x256-256 3x3x128-256 14x14x16-96
    14x14x96-24 7x7x160-320 7x7x48-288 7x7x288-48 1x1x64-64 1x1x256-256 2x2x512-128 10x10x20-40
    9x9x12-12 28x28x24-24 16x16x8-8 5x5x100-100
    16x16x40-80/2 10x10x72-72 8x8x160-160 20x20x40-40
"""
_DEPTHS = """
    25x5x64 48x48x8 48x48x16/2 24x24x32 24x24x32/2 12x12x64 12x12x64/2 6x6x128 6x6x128/2 3x3x256
    32x32x16 14x14x96 14x14x96/2 7x7x288 7x7x160:5x5 14x14x96:5x5 28x28x24 28x28x24:5x5 56x56x8
    10x10x20 5x5x512 4x4x32 20x20x72
"""
_SPREADING = "49x10x1*64:10x4 28x28x1*16:3x3 32x32x3*8:3x3 49x40x1*8:10x8"
_DENSE = """
    48-48 96-96 320-96 160-160 784-128 400-120 600-200 200-10 300-100
    8-8 64-12 64-10 64-64 100-100 128-128 128-8 8-128 640-128 128-640 256-256 512-64 960-64
    1280-64 700-300 512-512 768-768 1024-1024 256-1000
"""


def micro_models(precision: str) -> Mapping[str, Callable[[], Net]]:
    """Functions that build them, by name."""
    found: dict[str, Callable[[], Net]] = {}
    for word in _CONVS.split() + _POINTS.split():
        kernel = "" if word in _CONVS.split() else ":1x1"
        for often in ("",) if "/" in word else ("", "*"):
            found[f"conv {word}{often}"] = _conv(_sizes(word + kernel), precision, bool(often))
    for word in _DEPTHS.split():
        found[f"depthwise {word}"] = _depthwise(_sizes(word), precision)
    for word in _SPREADING.split():
        found[f"depthwise {word}"] = _spreading(word, precision)
    large = "1536-1024" if precision == "fp32" else "2048-2048"
    for word in (*_DENSE.split(), large):
        for often in ("", "*") if len(word) < _LONG else ("",):
            found[f"dense {word}{often}"] = _dense(word, precision, bool(often))
    return {**found, **dict(_others(precision))}


def _sizes(word: str) -> tuple[int, ...]:
    """Such as "16x16x32-64:3x3/2": height, width, channels, filters, kernel, stride."""
    word, _, stride = word.replace("/", "|").partition("|")
    if ":" in stride:
        stride, _, kernel = stride.partition(":")
        word += f":{kernel}"
    shape, _, kernel = word.partition(":")
    channels, _, filters = shape.partition("-")
    size = [int(part) for part in channels.split("x")]
    sides = [int(part) for part in (kernel or "3x3").split("x")]
    return (*size, int(filters or 0), *sides, int(stride or 1))


def _conv(sizes: tuple[int, ...], precision: str, often: bool) -> Callable[[], Net]:
    height, width, channels, filters, tall, wide, stride = sizes
    macs = math.prod(sizes[:6]) / stride**2

    def build() -> Net:
        net = Net((1, height, width, channels), precision).conv(filters, (tall, wide), stride)
        if often and stride == 1:
            for _ in range(min(3, 1 + int(_MACS / macs))):
                net.conv(channels, (tall, wide)).conv(filters, (tall, wide))
        return net

    return build


def _depthwise(sizes: tuple[int, ...], precision: str) -> Callable[[], Net]:
    height, width, channels, _, tall, wide, stride = sizes

    def build() -> Net:
        net = Net((1, height, width, channels), precision)
        for _ in range(1 if stride > 1 else 4):
            net.depthwise((tall, wide), stride)
        return net

    return build


def _spreading(word: str, precision: str) -> Callable[[], Net]:
    shape, _, rest = word.partition("*")
    filters, _, kernel = rest.partition(":")
    tall, wide = (int(side) for side in kernel.split("x"))
    sizes = [int(size) for size in shape.split("x")]
    return lambda: Net((1, *sizes), precision).depthwise((tall, wide), 2, int(filters))


def _dense(word: str, precision: str, often: bool) -> Callable[[], Net]:
    inputs, outputs = (int(part) for part in word.split("-"))

    def build() -> Net:
        net = Net((1, inputs), precision).dense(outputs)
        if often:
            for _ in range(3):
                net.dense(inputs).dense(outputs)
        return net

    return build


def _others(precision: str) -> Iterator[tuple[str, Callable[[], Net]]]:
    if precision == "hybrid":
        return  # ops without weights are those of fp32
    for kind in ("ADD", "MUL", "SUB"):
        for side, channels in ((1, 8), (8, 32), (16, 32), (32, 32)):
            for count in (1, 8):
                yield f"{kind} {side} {count}", _chain(precision, side, count, _two(kind), channels)
    for kind in ("RELU", "RELU6", "LOGISTIC", "TANH", "HARD_SWISH", "SOFTMAX"):
        for side in (1, 16, 32) if kind != "SOFTMAX" else (1, 4, 10):
            yield f"{kind} {side}", _chain(precision, side, 4, _one(kind))
    for size, shape in ((2, 32), (2, 16), (4, 16), (3, 24), (8, 8)):
        for kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
            yield f"{kind} {size} {shape}", _pool(precision, kind, size, shape)
    for side in (4, 8, 16, 32):
        yield f"MEAN {side}", _chain(precision, side, 1, lambda net: net.mean())
        yield f"PAD {side}", _chain(precision, side, 3, lambda net: net.pad())
        yield f"RESHAPE {side}", _chain(precision, side, 1, lambda net: net.flat())
        yield f"CONCATENATION {side}", _chain(precision, side, 2, lambda net: net.join(net.at))
    for side in (4, 8, 16):
        yield f"RESIZE_BILINEAR {side}", _chain(precision, side, 1, lambda net: net.resize())
        yield f"TRANSPOSE_CONV {side}", _chain(precision, side, 1, lambda net: net.up(16))
        yield f"TRANSPOSE_CONV {side} 2", _chain(precision, side, 2, lambda net: net.up(8, (3, 3)))
    if precision == "int8":
        for side in (1, 8, 16, 32):
            yield f"QUANTIZE {side}", _chain(precision, side, 4, lambda net: net.cast())


def _one(kind: str) -> Callable[[Net], Net]:
    return lambda net: net.one(kind)


def _two(kind: str) -> Callable[[Net], Net]:
    return lambda net: net.two(kind, net.at)


def _chain(
    precision: str, side: int, count: int, step: Callable[[Net], Net], channels: int = 32
) -> Callable[[], Net]:
    def build() -> Net:
        net = Net((1, side, side, channels), precision)
        for _ in range(count):
            step(net)
        return net

    return build


def _pool(precision: str, kind: str, size: int, shape: int) -> Callable[[], Net]:
    return lambda: Net((1, shape, shape, 32), precision).pool(kind, size, size)
