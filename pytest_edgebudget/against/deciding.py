"""
From what workers say of a ratio to a decision: pure functions.

One number a worker: the median, over its pairs of neighbouring blocks, of the
log of the ratio of the blocks' medians. Workers are independent of each other,
blocks of one worker are not: so the interval is that of Student over workers,
and never narrower than what a comparison of a program with itself shows
(`FLOOR`). Workers are added one by one until the interval is clear of the
limit or there are `MOST`: then the answer is "undecided".

Source: Kalibera, Jones, "Rigorous Benchmarking in Reasonable Time", ISMM 2013
(the highest level at which runs vary is the one to repeat); looking again
after each worker is paid for by a confidence of 99 % for each look.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from pytest_edgebudget.against.racing import Pair

FIRST = 3  # workers before the first look
MOST = 10  # workers
FLOOR = 0.006  # least half width of the interval, as a log of a ratio
STUDENT_99 = {2: 9.925, 3: 5.841, 4: 4.604, 5: 4.032, 6: 3.707, 7: 3.499, 8: 3.355, 9: 3.250}
"""Two-sided 99 % quantiles of Student's t by degrees of freedom (any table)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """
    The new model's time as a multiple of the base's.

    *outcome*: "kept" or "broken" of the limit that was asked for, or "undecided";
    *workers* fresh processes said so.
    """

    value: float
    low: float
    high: float
    outcome: str
    workers: int
    repeated: bool = False


def of_worker(pairs: Sequence[Pair]) -> float:
    """The log of the ratio that one worker saw."""
    return median(math.log(median(pair.new) / median(pair.base)) for pair in pairs)


def decide(logs: Sequence[float], limit: float) -> Ratio:
    """
    Judge what workers said against a *limit*: the largest ratio that is allowed.

    Raises `ValueError` for fewer than `FIRST` workers.
    """
    if len(logs) < FIRST:
        raise ValueError(f"{len(logs)} workers are too few")
    centre = fmean(logs)
    spread = STUDENT_99[len(logs) - 1] * stdev(logs) / math.sqrt(len(logs))
    half = max(FLOOR, spread)
    low, high = math.exp(centre - half), math.exp(centre + half)
    outcome = "broken" if low > limit else "kept" if high <= limit else "undecided"
    return Ratio(value=math.exp(centre), low=low, high=high, outcome=outcome, workers=len(logs))


def compare(worker: Callable[[int], float], limit: float) -> Ratio:
    """
    Ask worker after worker until the answer is clear; confirm it before it is red.

    *worker* starts the worker of that number and returns its log of the ratio.
    A first answer of "broken" counts only if as many fresh workers say so again.
    """
    first = _sequence(worker, limit, start=0)
    if first.outcome != "broken":
        return first
    again = _sequence(worker, limit, start=first.workers)
    return Ratio(
        value=math.sqrt(first.value * again.value),
        low=min(first.low, again.low),
        high=max(first.high, again.high),
        outcome="broken" if again.outcome == "broken" else "undecided",
        workers=first.workers + again.workers,
        repeated=True,
    )


def _sequence(worker: Callable[[int], float], limit: float, start: int) -> Ratio:
    logs = [worker(start + number) for number in range(FIRST)]
    while (ratio := decide(logs, limit)).outcome == "undecided" and len(logs) < MOST:
        logs.append(worker(start + len(logs)))
    return ratio
