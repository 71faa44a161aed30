"""Statistics against scipy and published figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_edgebudget.stats import quantile, quantile_interval, wilson


@pytest.mark.parametrize(
    ("accuracy", "samples", "low", "high"),
    [(0.9025, 800, 0.880, 0.921), (0.8847, 399, 0.850, 0.912)],
)
def test_wilson_gives_the_published_intervals(
    accuracy: float, samples: int, low: float, high: float
) -> None:
    assert wilson(accuracy * samples, samples) == pytest.approx((low, high), abs=5e-4)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(("successes", "samples"), [(0, 10), (7, 10), (10, 10), (722, 800)])
def test_wilson_agrees_with_scipy(successes: int, samples: int, confidence: float) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is the second opinion")
    expected = stats.binomtest(successes, samples).proportion_ci(confidence, method="wilson")

    assert wilson(successes, samples, confidence) == pytest.approx(tuple(expected), abs=1e-12)


def test_no_samples_say_nothing_about_a_proportion() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40),
    st.floats(0, 1),
)
def test_quantiles_agree_with_numpy(values: list[float], q: float) -> None:
    numpy = pytest.importorskip("numpy", reason="numpy is the second opinion")

    assert quantile(values, q) == pytest.approx(float(numpy.quantile(values, q)), abs=1e-6)


@pytest.mark.parametrize(("q", "runs"), [(0.95, 59), (0.99, 299)])
def test_an_upper_bound_of_a_percentile_needs_59_or_299_runs(q: float, runs: int) -> None:
    few = [float(run) for run in range(runs - 1)]
    enough = [float(run) for run in range(runs)]

    assert quantile_interval(few, q) is None
    interval = quantile_interval(enough, q)
    assert interval is not None
    assert interval[1] == enough[-1]


@pytest.mark.parametrize(("n", "q"), [(100, 0.5), (25, 0.5), (500, 0.95), (1000, 0.99)])
def test_order_statistics_cover_the_quantile_as_scipy_counts(n: int, q: float) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is the second opinion")
    interval = quantile_interval([float(rank) for rank in range(n)], q)
    assert interval is not None
    low, high = (int(bound) for bound in interval)
    below = stats.binom(n, q)

    coverage = below.cdf(high) - below.cdf(low)
    assert coverage >= 0.95
    assert below.cdf(low) <= 0.025 < below.cdf(low + 1)
    assert below.cdf(high) >= 0.975 > below.cdf(high - 1)


def test_the_interval_of_a_median_of_a_known_table() -> None:
    # n = 20: ranks 6 and 15 (Conover, table of confidence intervals for the median).
    ranks = [float(rank) for rank in range(1, 21)]

    assert quantile_interval(ranks, 0.5) == (6.0, 15.0)
