"""
Real factors as integers, as TensorFlow Lite's reference kernels prepare them.

Scales are floats of 32 bits, kept in doubles; where the runtime multiplies two
of them as floats, so does `float32`.

Source: tensorflow/lite/kernels/internal/quantization_util.cc and kernels/kernel_util.cc.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

LOW, HIGH = -128, 127
"""The range of int8."""


@dataclass(frozen=True, slots=True)
class Factor:
    """``multiplier * 2 ** (shift - 31)``."""

    multiplier: int
    shift: int


def factor(real: float) -> Factor:
    """A real factor; one that is too small for 32 bits becomes nothing."""
    if real == 0.0:
        return Factor(0, 0)
    fraction, shift = math.frexp(real)
    multiplier = round_away(fraction * (1 << 31))
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    return Factor(0, 0) if shift < -31 else Factor(multiplier, shift)


def shared(whole: Factor, count: int) -> Factor:
    """*whole* / *count*, rounded down as reduce.h does for means."""
    shift = min(count.bit_length() - 1, 32, 31 + whole.shift)
    return Factor((whole.multiplier << shift) // count, whole.shift - shift)


def float32(value: float) -> float:
    """The nearest float of 32 bits; infinite where there is none."""
    try:
        (rounded,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return math.copysign(math.inf, value)
    return float(rounded)


def round_away(value: float) -> int:
    """To the nearest integer, ties away from zero."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def activation_range(activation: str, scale: float, zero: int) -> tuple[int, int] | None:
    """The least and the greatest output of a layer; None for an unknown *activation*."""

    def steps(value: float) -> int:
        return zero + round_away(float32(value / scale))

    ranges = {
        "NONE": (LOW, HIGH),
        "RELU": (max(LOW, steps(0.0)), HIGH),
        "RELU6": (max(LOW, steps(0.0)), min(HIGH, steps(6.0))),
        "RELU_N1_TO_1": (max(LOW, steps(-1.0)), min(HIGH, steps(1.0))),
    }
    return ranges.get(activation)


@dataclass(frozen=True, slots=True)
class SoftmaxScaling:
    """Of a difference to 5 integer bits; what is under *lowest* counts nothing."""

    factor: Factor
    lowest: int


def softmax_scaling(beta: float, scale: float) -> SoftmaxScaling:
    """As PreprocessSoftmaxScaling and CalculateInputRadius have it."""
    bits, total = 5, 31
    found = factor(min(beta * scale * (1 << (total - bits)), 2.0**31 - 1.0))
    radius = ((1 << bits) - 1) * (1 << (total - bits)) / 2.0**found.shift
    return SoftmaxScaling(found, -math.floor(radius))
