"""Which layers get fewer bits: least harm for the bytes that must go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

EXACT = 4096
"""So many choices are kept at most while layers are added; beyond it the finest steps merge."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A layer that may get fewer bits: *saved* bytes, at so much *harm*."""

    saved: int
    harm: float


@dataclass(frozen=True, slots=True)
class Choice:
    """Some of the layers, by their place: what they save together, and their harm."""

    saved: int
    harm: float
    layers: tuple[int, ...] = ()


def frontier(offers: Sequence[Offer]) -> tuple[Choice, ...]:
    """
    All choices that no other beats in both bytes and harm, fewest bytes first.

    Harms add up. This is the 0/1 knapsack for every capacity at once, by the list of
    undominated choices (Nemhauser and Ullmann, 1969): exact as long as fewer than
    `EXACT` of them are undominated.
    """
    kept: tuple[Choice, ...] = (Choice(0, 0.0),)
    for place, offer in enumerate(offers):
        more = (
            Choice(each.saved + offer.saved, each.harm + offer.harm, (*each.layers, place))
            for each in kept
        )
        kept = _thinned(_undominated([*kept, *more]))
    return kept


def _undominated(choices: list[Choice]) -> list[Choice]:
    """Sorted by bytes; each later one saves more and does more harm."""
    choices.sort(key=lambda each: (-each.saved, each.harm, each.layers))
    kept: list[Choice] = []
    for each in choices:
        if not kept or each.harm < kept[-1].harm:
            kept.append(each)
    return kept[::-1]


def _thinned(choices: list[Choice]) -> tuple[Choice, ...]:
    if len(choices) <= EXACT:
        return tuple(choices)
    step = choices[-1].saved / EXACT
    best: dict[int, Choice] = {}
    for each in choices:
        best.setdefault(int(each.saved / step), each)
    return (*best.values(), choices[-1])


def cheapest(choices: Sequence[Choice], needed: float) -> Choice | None:
    """The least harm that saves *needed* bytes; None when nothing saves so many."""
    return next((each for each in choices if each.saved >= needed), None)
