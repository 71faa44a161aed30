"""Which candidates no other beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_edgebudget.report.base import TrialRow


def front(trials: Sequence[TrialRow], better: Mapping[str, str]) -> frozenset[str]:
    """
    Recipes that no other candidate beats in one metric without losing in another.

    *better*: "lower" or "higher" by metric. Only candidates of which all of these
    metrics are known are compared.
    """
    points = {
        trial.recipe: tuple(
            trial.readings[name] * (1 if way == "lower" else -1) for name, way in better.items()
        )
        for trial in trials
        if all(name in trial.readings for name in better)
    }
    return frozenset(
        recipe
        for recipe, mine in points.items()
        if not any(_beats(other, mine) for other in points.values())
    )


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)
