from __future__ import annotations

from pytest_edgebudget.pareto.front import front
from pytest_edgebudget.report.base import TrialRow


def trial(recipe: str, **readings: float) -> TrialRow:
    return TrialRow(
        recipe=recipe, state="kept", readings=readings, units={}, binding=(), reason="",
        seconds=0.0, from_lock=False,
    )  # fmt: skip


def test_only_what_nothing_beats_in_every_way_is_at_the_front() -> None:
    trials = [
        trial("float", size=100, accuracy=0.92),
        trial("half", size=50, accuracy=0.92),
        trial("int8", size=26, accuracy=0.91),
        trial("worse", size=30, accuracy=0.90),
        trial("int4", size=15, accuracy=0.60),
        trial("unknown", size=10),
    ]
    assert front(trials, {"size": "lower", "accuracy": "higher"}) == {"half", "int8", "int4"}


def test_of_two_alike_both_are_at_the_front() -> None:
    trials = [trial("a", size=1), trial("b", size=1), trial("c", size=2)]
    assert front(trials, {"size": "lower"}) == {"a", "b"}
