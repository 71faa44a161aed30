"""A step is found where it was made, and noise alone is not."""

from __future__ import annotations

import random

import pytest

from pytest_edgebudget.history.change_points import change_points
from pytest_edgebudget.history.series import series_of, sparkline
from tests.history.conftest import row


def noise(seed: int, step: float = 0.0, at: int = 15) -> list[float]:
    """Thirty readings about 1.0 with a spread of 1.5 %, one in twenty far off."""
    drawn = random.Random(seed)
    levels = [1.0 + step * (n >= at) for n in range(30)]
    return [x * (1 + drawn.gauss(0, 0.015)) * (1.3 if drawn.random() < 0.05 else 1) for x in levels]


def test_one_true_step_of_four_percent_is_found_in_thirty_noisy_readings() -> None:
    found = [change_points(noise(seed, 0.04, at=8 + seed % 15), noisy=True) for seed in range(40)]
    right = [
        len(points) == 1 and abs(points[0].index - (8 + seed % 15)) <= 2 and points[0].share > 0
        for seed, points in enumerate(found)
    ]

    assert sum(right) >= 33


def test_noise_alone_is_no_change() -> None:
    assert sum(bool(change_points(noise(seed), noisy=True)) for seed in range(100, 160)) <= 2


def test_two_steps_are_found_in_order() -> None:
    values = noise(1, 0.1, at=10)
    values = values[:20] + [value * 0.8 for value in values[20:]]
    points = change_points(values, noisy=True)

    assert [round(point.share, 1) for point in points] == [0.1, -0.2]


def test_every_change_of_an_exact_reading_counts() -> None:
    points = change_points([5.0, 5.0, 5.001, 5.001, 4.0], noisy=False)

    assert [(p.index, p.before, p.after) for p in points] == [(2, 5.0, 5.001), (4, 5.001, 4.0)]


@pytest.mark.parametrize("count", range(5))
def test_a_short_series_has_no_change(count: int) -> None:
    assert change_points([1.0, 2.0, 3.0, 4.0, 5.0][:count], noisy=True) == ()


def test_equal_readings_have_no_change() -> None:
    assert change_points([1.0] * 30, noisy=True) == ()


def test_readings_of_another_key_are_a_series_of_their_own() -> None:
    rows = [row(n, key='{"cpu": "A"}', value=1.0) for n in range(3)]
    rows += [row(n, key='{"cpu": "B"}', value=9.0) for n in range(3, 6)]
    exact = [
        row(n, metric="size", key=f'{{"cpu": "{n}"}}', noisy=0, value=1.0) for n in range(6, 9)
    ]

    assert [(s.last.metric, s.values) for s in series_of([*rows, *exact])] == [
        ("latency", (1.0, 1.0, 1.0)),
        ("latency", (9.0, 9.0, 9.0)),
        ("size", (1.0, 1.0, 1.0)),
    ]


def test_the_sparkline_has_a_bar_a_reading() -> None:
    assert sparkline([0.0, 3.5, 7.0]) == "▁▅█"
    assert sparkline([2.0, 2.0]) == "▄▄"
    assert len(sparkline(range(100))) == 30
