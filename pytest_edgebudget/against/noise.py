"""A model compared with itself, over and over: what this machine can tell at all."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from pytest_edgebudget.against.deciding import FIRST, FLOOR, MOST, STUDENT_99, of_worker
from pytest_edgebudget.against.racing import Race

WORKERS = 20
DRAWS = 400  # comparisons that are replayed
RESAMPLES = 100
KEPT = 0.95


@dataclass(frozen=True, slots=True)
class Noise:
    """
    What workers said of a model beside itself.

    *value* in *low*..*high* and *apart* as in `measure.noise_floor.Floor`; *seconds*
    an inference.
    """

    value: float
    low: float
    high: float
    apart: float
    seconds: float


def listen(race: Race, workers: int, told: Callable[[int], None] = lambda done: None) -> Noise:
    """
    Race a model against itself in so many fresh *workers*; *told* is called after each.

    Raises `ValueError` for fewer than `MOST`, which one comparison may take.
    """
    if workers < MOST:
        raise ValueError(f"{workers} workers are too few: a comparison may take {MOST}")
    logs, medians = [], []
    for number in range(workers):
        pairs = race.worker(number, seed=number)
        logs.append(of_worker(pairs))
        medians.append(median(time for pair in pairs for time in pair.base))
        told(number + 1)
    return noise_of(logs, medians)


def noise_of(logs: Sequence[float], medians: Sequence[float]) -> Noise:
    """
    The noise by the log of the ratio, and by the median time, that each worker saw.

    Comparisons are replayed with workers in random order; the interval is that of
    90 % of resamples of the workers (a bootstrap: Efron, Tibshirani, "An
    Introduction to the Bootstrap", ch. 13).
    """
    drawn = random.Random(1)  # noqa: S311 no secret
    value = _floor(logs, drawn, DRAWS)
    again = sorted(
        _floor(drawn.choices(logs, k=len(logs)), drawn, DRAWS // 4) for _ in range(RESAMPLES)
    )
    low, high = _quantile(again, 0.05), _quantile(again, 0.95)
    apart = [abs(a / b - 1) for a, b in combinations(medians, 2)]
    return Noise(
        value, min(low, value), max(high, value), _quantile(sorted(apart), KEPT), median(medians)
    )


def _floor(logs: Sequence[float], drawn: random.Random, draws: int) -> float:
    """The limit that so many of the replayed comparisons keep; either model may be the new one."""
    needed = []
    for _ in range(draws):
        sign = drawn.choice((1, -1))
        needed.append(needs([sign * log for log in drawn.sample(logs, MOST)]))
    return _quantile(sorted(needed), KEPT)


def needs(logs: Sequence[float]) -> float:
    """
    The least limit, as a share, that a comparison with these workers in their order keeps.

    `deciding.decide` looks after each worker from the `FIRST`; the upper end of its
    interval has to be below the limit once.
    """
    total, squares, best = 0.0, 0.0, math.inf
    for count, log in enumerate(logs, 1):
        total, squares = total + log, squares + log * log
        if count < FIRST:
            continue
        centre = total / count
        spread = math.sqrt(max(0.0, squares - count * centre * centre) / (count - 1))
        half = max(FLOOR, STUDENT_99[count - 1] * spread / math.sqrt(count))
        best = min(best, math.exp(centre + half) - 1)
    return best


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The value that *share* of the *ordered* ones do not pass."""
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]
