"""The fewest changes that explain a difference."""

from __future__ import annotations

from collections.abc import Sequence

SHARE = 0.9
"""Of the difference, to be explained."""


def smallest(values: Sequence[float], share: float = SHARE) -> int:
    """
    How many of *values*, the largest first (by their size, whatever their sign), explain their sum.

    They do when what they leave is no more than 1 - *share* of the sum. Where
    all have one sign no smaller set does. Where some save and others cost, the
    largest come first on either side: a layer of +100 kB beside one of -90 kB is
    named with it, and not hidden behind some small one that happens to be as
    large as what is left. 0 for no difference.
    """
    whole = sum(values)
    left = whole
    for count, value in enumerate(values):
        if abs(left) <= (1 - share) * abs(whole) * (1 + 1e-12):
            return count
        left -= value
    return len(values) if whole else 0


def ordered(values: Sequence[float]) -> list[int]:
    """The places of *values* in the order that `smallest` takes; of equal ones the first."""
    return sorted(range(len(values)), key=lambda place: -abs(values[place]))
