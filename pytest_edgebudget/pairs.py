"""
How sure a difference between two models is that answered the same samples.

Where each answer is right or wrong only the samples count on which the two
differ: *worse* are right before and wrong after, *better* the other way.
Pure Python, as `stats` is.
"""

from __future__ import annotations

import math
from collections.abc import Callable

SMALLEST = 1e-300
MOST_SAMPLES = 10**8


def mcnemar(worse: int, better: int) -> float:
    """
    Two-sided p-value of the exact McNemar test: that both directions are as likely.

    Source: McNemar, Psychometrika 12(2), 1947; exact by the binomial of
    *worse* among the samples that differ, with probability 1/2.
    """
    total = worse + better
    if total == 0:
        return 1.0
    return min(1.0, 2 * beta(0.5, total - min(worse, better), min(worse, better) + 1))


def clopper_pearson(successes: float, trials: float, level: float) -> tuple[float, float]:
    """
    Exact interval of a proportion, by inverting the binomial test.

    Source: Clopper, Pearson, Biometrika 26(4), 1934. Fractions of a success
    are allowed: they lie between their neighbours.
    """
    tail, k, n = (1 - level) / 2, successes, trials
    low = 0.0 if k <= 0 else _root(lambda p: beta(p, k, n - k + 1), tail)
    high = 1.0 if k >= n else _root(lambda p: beta(p, k + 1, n - k), 1 - tail)
    return low, high


def share_drop(worse: float, better: float, samples: float, level: float) -> tuple[float, float]:
    """
    Interval of a drop in the share of right answers, (worse - better) / samples.

    The exact intervals of the two shares that changed, put together by squares
    and added (Newcombe's way; MOVER). It contains 0 whenever the exact McNemar
    test at *level* does not tell the two models apart.

    Source: Newcombe, Statistics in Medicine 17(22), 1998; Zou, Donner,
    Statistics in Medicine 27(10), 2008.
    """
    down, up = worse / samples, better / samples
    down_low, down_high = clopper_pearson(worse, samples, level)
    up_low, up_high = clopper_pearson(better, samples, level)
    drop = down - up
    low = drop - math.hypot(down - down_low, up_high - up)
    high = drop + math.hypot(down_high - down, up - up_low)
    if mcnemar(round(worse), round(better)) > 1 - level:
        low, high = min(low, 0.0), max(high, 0.0)
    return max(-1.0, low), min(1.0, high)


def samples_needed(
    interval: Callable[[float], tuple[float, float]], tolerance: float, samples: int
) -> int | None:
    """
    About how many samples would clear *interval* of *tolerance*, at the drop that was seen.

    *interval* is that of the drop by the number of samples, with the same share of
    changed answers. *samples* are there now; None where more of the same never
    decide, or more than `MOST_SAMPLES` would be needed.
    """

    def clear(count: float) -> bool:
        low, high = interval(count)
        return low > tolerance or high <= tolerance

    many = float(samples)
    while not clear(many):
        many *= 2
        if many > MOST_SAMPLES:
            return None
    few = many / 2
    if many == samples:
        return samples
    while many - few > max(1.0, many / 200):
        middle = (few + many) / 2
        few, many = (few, middle) if clear(middle) else (middle, many)
    return math.ceil(many)


def beta(x: float, a: float, b: float) -> float:
    """
    The regularized incomplete beta function I_x(a, b): tails of the binomial.

    Source: Press et al., "Numerical Recipes", 3rd ed., 6.4 (continued fraction).
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    log = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(log + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Lentz's way through the continued fraction."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value, m = d, 0
    while True:
        m += 1
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d, c = 1 / _not_zero(1 + term * d), _not_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 1e-13 or m > 100_000:
            return value


def _not_zero(value: float) -> float:
    return value if abs(value) > SMALLEST else SMALLEST


def _root(rising: Callable[[float], float], wanted: float) -> float:
    """Where a function that rises from 0 to 1 on 0..1 reaches *wanted*."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
    return (low + high) / 2
