from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_edgebudget.fit.knapsack import Offer, cheapest, frontier

OFFERS = st.lists(
    st.builds(Offer, st.integers(0, 50), st.integers(0, 40).map(float)), min_size=0, max_size=9
)


def every_choice(offers: list[Offer]) -> list[tuple[int, float]]:
    return [
        (sum(o.saved for o in some), sum(o.harm for o in some))
        for count in range(len(offers) + 1)
        for some in combinations(offers, count)
    ]


@settings(max_examples=150, deadline=None)
@given(OFFERS, st.integers(0, 300))
def test_no_subset_saves_as_much_with_less_harm(offers: list[Offer], needed: int) -> None:
    found = cheapest(frontier(offers), needed)
    possible = [harm for saved, harm in every_choice(offers) if saved >= needed]
    assert (found is None) == (not possible)
    if found is not None:
        assert found.harm == min(possible)
        assert sum(offers[i].saved for i in found.layers) == found.saved
        assert sum(offers[i].harm for i in found.layers) == found.harm


@settings(max_examples=50, deadline=None)
@given(OFFERS)
def test_the_choices_rise_in_both_bytes_and_harm(offers: list[Offer]) -> None:
    choices = frontier(offers)
    for one, other in pairwise(choices):
        assert one.saved < other.saved
        assert one.harm < other.harm


def test_it_is_the_optimum_that_an_integer_program_finds() -> None:
    optimize = pytest.importorskip("scipy.optimize", reason="pip install scipy")
    import numpy as np

    random = np.random.default_rng(3)
    offers = [Offer(int(s), float(h)) for s, h in random.integers(1, 4000, (24, 2))]
    saved = np.array([o.saved for o in offers])
    harm = np.array([o.harm for o in offers])
    for needed in (1000, 9000, 21_000, 40_000):
        found = cheapest(frontier(offers), needed)
        program = optimize.milp(
            harm,
            constraints=optimize.LinearConstraint(saved, needed, np.inf),
            integrality=np.ones(24),
            bounds=optimize.Bounds(0, 1),
        )
        assert found is not None
        assert found.harm == pytest.approx(program.fun)


def test_many_layers_are_chosen_in_bounded_time_and_nearly_as_well() -> None:
    import random

    rng = random.Random(5)
    offers = [Offer(rng.randint(500, 90_000), rng.random()) for _ in range(200)]
    choices = frontier(offers)
    assert len(choices) < 9000
    half = sum(o.saved for o in offers) / 2
    found = cheapest(choices, half)
    by_rate = sorted(offers, key=lambda o: o.harm / o.saved)
    greedy, total = 0.0, 0
    while total < half:
        offer = by_rate.pop(0)
        greedy, total = greedy + offer.harm, total + offer.saved
    assert found is not None
    assert found.harm <= greedy * 1.01
