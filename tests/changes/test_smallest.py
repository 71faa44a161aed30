"""The fewest changes that explain a difference."""

from __future__ import annotations

from itertools import combinations

import pytest

pytest.importorskip("hypothesis", reason="draws the examples")

from hypothesis import given
from hypothesis import strategies as st

from pytest_edgebudget.changes.smallest import ordered, smallest

POSITIVE = st.lists(st.integers(min_value=1, max_value=10_000), min_size=1, max_size=8)
ANY = st.lists(st.integers(min_value=-10_000, max_value=10_000), min_size=1, max_size=30)


@given(POSITIVE, st.sampled_from([1, -1]))
def test_no_smaller_set_explains_as_much_where_all_have_one_sign(
    sizes: list[int], sign: int
) -> None:
    values = sorted((sign * size for size in sizes), key=abs, reverse=True)
    count = smallest(values)

    def explains(chosen: tuple[int, ...]) -> bool:
        return 10 * abs(sum(chosen)) >= 9 * abs(sum(values))

    assert explains(tuple(values[:count]))
    assert not any(explains(chosen) for chosen in combinations(values, count - 1))


@given(ANY)
def test_what_is_left_out_is_at_most_a_tenth_whatever_the_signs(sizes: list[int]) -> None:
    values = [sizes[place] for place in ordered(sizes)]
    count = smallest(values)

    assert sorted(values) == sorted(sizes)
    assert 10 * abs(sum(values[count:])) <= abs(sum(sizes))


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ([], 0),
        ([5, -5], 0),
        ([90, 10], 1),
        ([89, 11], 2),
        ([100, -90], 2),  # the saving is named beside the cost that it hides
        ([100, -90, 9.5, -9.5], 2),
        ([0.3, 0.3, 0.3, 0.1], 3),
    ],
)
def test_costs_and_savings_are_named_by_their_size(values: list[float], count: int) -> None:
    assert smallest(values) == count
