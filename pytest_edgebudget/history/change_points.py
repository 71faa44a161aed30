"""
Where a series of readings changed for good.

Exact readings change where they differ. Noisy ones are tested: the maximally
selected rank statistic (the standardised Wilcoxon statistic of "before" and
"after", largest over all splits) with its permutation distribution, and the
series is split there again as long as a part has a change (binary
segmentation). Ranks make single outliers harmless; permutations need no
assumption but that without a change the order means nothing.

Source: Miller, Siegmund, "Maximally Selected Chi Square Statistics",
Biometrics 38 (1982); Hothorn, Lausen, "On the Exact Distribution of Maximally
Selected Rank Statistics", Computational Statistics & Data Analysis 43 (2003).
Stopping early: Besag, Clifford, "Sequential Monte Carlo p-values", Biometrika 78 (1991).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

CONFIDENCE = 0.99
PERMUTATIONS = 1999
LEAST_EFFECT = 0.01  # of the level before: less is nobody's regression
SHORTEST = 2  # readings on either side
LONGEST = 500  # readings that are looked at, the last ones
SEED = 7


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """
    The level changed at reading number *index* (from 0), from *before* to *after*.

    *probability*: of such a split without any change; 0 for exact readings.
    """

    index: int
    before: float
    after: float
    probability: float

    @property
    def share(self) -> float:
        """The change as a share of the level before."""
        return (self.after - self.before) / abs(self.before) if self.before else math.inf


def change_points(values: Sequence[float], *, noisy: bool) -> tuple[ChangePoint, ...]:
    """The changes in a series, in its order; levels are medians of the parts."""
    skipped = max(0, len(values) - LONGEST) if noisy else 0
    found = _noisy(values[skipped:]) if noisy else _exact(values)
    cuts = sorted((index + skipped, p) for index, p in found)
    edges = [0, *(index for index, _ in cuts), len(values)]
    points = []
    for number, (index, probability) in enumerate(cuts, 1):
        before = median(values[edges[number - 1] : index])
        after = median(values[index : edges[number + 1]])
        points.append(ChangePoint(index, before, after, probability))
    return tuple(p for p in points if not noisy or abs(p.share) >= LEAST_EFFECT)


def _exact(values: Sequence[float]) -> list[tuple[int, float]]:
    return [(i, 0.0) for i in range(1, len(values)) if values[i] != values[i - 1]]


def _noisy(values: Sequence[float]) -> list[tuple[int, float]]:
    found: list[tuple[int, float]] = []
    parts = [(0, len(values))]
    while parts:
        start, end = parts.pop()
        index, probability = _split(values[start:end])
        if index and probability <= 1 - CONFIDENCE:
            found.append((start + index, probability))
            parts += [(start, start + index), (start + index, end)]
    return found


def _split(values: Sequence[float]) -> tuple[int, float]:
    """The best split of a part and its permutation probability; 0 where it is too short."""
    if len(values) < 2 * SHORTEST + 1:
        return 0, 1.0
    ranks = _ranks(values)
    scales = _scales(len(values))
    best, where = _statistic(ranks, scales)
    order = random.Random(SEED)  # noqa: S311 no secret
    as_large, shuffled = 0, list(ranks)
    for done in range(1, PERMUTATIONS + 1):
        order.shuffle(shuffled)
        as_large += _statistic(shuffled, scales)[0] >= best - 1e-9
        if as_large > (1 - CONFIDENCE) * (1 + PERMUTATIONS):
            return where, as_large / done  # no change for sure: most series end here, soon
    return where, (1 + as_large) / (1 + PERMUTATIONS)


def _ranks(values: Sequence[float]) -> list[float]:
    """Ranks about their mean; equal values share one."""
    order = sorted(values)
    first = {value: index for index, value in reversed(list(enumerate(order)))}
    last = {value: index for index, value in enumerate(order)}
    middle = (len(values) - 1) / 2
    return [(first[value] + last[value]) / 2 - middle for value in values]


def _scales(count: int) -> list[float]:
    """One over the spread of the sum of the first *t* ranks, without the common factor."""
    return [
        1 / math.sqrt(t * (count - t)) if SHORTEST <= t <= count - SHORTEST else 0.0
        for t in range(1, count)
    ]


def _statistic(ranks: Sequence[float], scales: Sequence[float]) -> tuple[float, int]:
    sums = list(accumulate(ranks[:-1]))
    standard = [abs(each) * scale for each, scale in zip(sums, scales, strict=True)]
    best = max(standard)
    return best, standard.index(best) + 1
