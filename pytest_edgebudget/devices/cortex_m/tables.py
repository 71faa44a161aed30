"""
Logistic function and hyperbolic tangent of int8: 256 answers, worked out here in fixed point.

A number with n integer bits is raw * 2^(n - 31). The functions are gemmlowp's
(fixedpoint.h), with four integer bits for what goes in, as TensorFlow Lite
Micro's reference kernels have them; its kernels compute at each inference what
a table says, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from pytest_edgebudget.devices.cortex_m.multipliers import HIGH, LOW, Factor, factor

BITS = 4
MOST, LEAST = (1 << 31) - 1, -(1 << 31)
_POWERS = (
    (-2, 1672461947),
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)
"""exp(-2^k)"""


def logistic(scale: float, zero: int) -> bytes:
    """Answers to -128..127, in steps of 1/256 from -128."""
    return _table(scale, zero, lambda raw: _rounded(_logistic(raw), 23) + LOW)


def tanh(scale: float, zero: int) -> bytes:
    """Answers to -128..127, in steps of 1/128."""
    return _table(scale, zero, lambda raw: _rounded(_tanh(raw), 24))


def _table(scale: float, zero: int, function: Callable[[int], int]) -> bytes:
    found = factor(scale * (1 << (31 - BITS)))
    radius = math.floor(((1 << BITS) - 1) * 2.0 ** (31 - BITS) / 2.0**found.shift)
    answers = (_answer(x - zero, radius, found, function) for x in range(LOW, HIGH + 1))
    return bytes(answer & 0xFF for answer in answers)


def _answer(x: int, radius: int, scaling: Factor, function: Callable[[int], int]) -> int:
    if abs(x) >= radius:
        return LOW if x < 0 else HIGH
    return max(LOW, min(HIGH, function(_product(x << scaling.shift, scaling.multiplier))))


def _product(a: int, b: int) -> int:
    """The high 32 bits of 2ab, rounded to nearest."""
    return MOST if a == b == LEAST else (a * b + (1 << 30)) >> 31


def _rounded(x: int, exponent: int) -> int:
    """Of x / 2^exponent, ties away from zero."""
    mask = (1 << exponent) - 1
    return (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0))


def _left(x: int, exponent: int) -> int:
    return max(LEAST, min(MOST, x << exponent))


def _exp(a: int, bits: int) -> int:
    """exp(a) for a <= 0 with so many integer bits; the result has none."""
    if a == 0:
        return MOST
    fraction = 31 - bits
    quarter = 1 << (fraction - 2)
    little = (a & (quarter - 1)) - quarter
    result = _exp_of_little(_left(little, bits))
    rest = little - a
    for power, multiplier in _POWERS:
        if power < bits and rest & (1 << (fraction + power)):
            result = _product(result, multiplier)
    return result


def _exp_of_little(a: int) -> int:
    """For -1/4 <= a < 0: a series around -1/8."""
    constant, third = 1895147668, 715827883
    x = a + (1 << 28)
    x2 = _product(x, x)
    x3, x4 = _product(x2, x), _product(x2, x2)
    rest = _product(_rounded(x4, 2) + x3, third) + x2
    return constant + _product(constant, x + _rounded(rest, 1))


def _newton(a: int) -> int:
    """2 / (1 + a) for 0 <= a < 1, with two integer bits: three steps of Newton's method."""
    half = (a + MOST + 1) // 2
    x = 1515870810 + _product(half, -1010580540)
    for _ in range(3):
        x += _left(_product(x, (1 << 29) - _product(half, x)), 2)
    return x


def _logistic(a: int) -> int:
    if a == 0:
        return 1 << 30
    positive = _left(_newton(_exp(-abs(a), BITS)), 1)
    return positive if a > 0 else MOST - positive


def _tanh(a: int) -> int:
    if a == 0:
        return 0
    # (1 - e) / (1 + e), with e = exp(-2a) of one integer bit more
    size = _left(_newton(_exp(-abs(a), BITS + 1)) - (1 << 29), 2)
    return size if a > 0 else -size
