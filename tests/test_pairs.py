"""How sure a difference is between two models that answered the same samples."""

from __future__ import annotations

import pytest

from pytest_edgebudget.pairs import (
    MOST_SAMPLES,
    clopper_pearson,
    mcnemar,
    samples_needed,
    share_drop,
)

COUNTS = [(0, 1), (1, 0), (3, 3), (5, 1), (20, 10), (9, 0), (300, 260), (2000, 2100)]


@pytest.mark.parametrize(("worse", "better"), COUNTS)
def test_mcnemar_is_the_exact_binomial_test_of_scipy(worse: int, better: int) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is what it is compared with")
    theirs = stats.binomtest(worse, worse + better, 0.5).pvalue

    assert mcnemar(worse, better) == pytest.approx(theirs, rel=1e-8)


def test_models_that_never_differ_are_not_told_apart() -> None:
    assert mcnemar(0, 0) == 1.0


@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
@pytest.mark.parametrize(("k", "n"), [(0, 10), (10, 10), (3, 360), (27, 50), (500, 100_000)])
def test_the_interval_of_a_share_is_the_exact_one_of_scipy(k: int, n: int, level: float) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is what it is compared with")
    theirs = stats.binomtest(k, n).proportion_ci(level, method="exact")

    assert clopper_pearson(k, n, level) == pytest.approx((theirs.low, theirs.high), rel=1e-7)


@pytest.mark.parametrize("shares", [(0.02, 0.0), (0.03, 0.01), (0.05, 0.05), (0.1, 0.05)])
def test_the_interval_of_a_drop_holds_the_true_drop_as_often_as_it_says(
    shares: tuple[float, float],
) -> None:
    np = pytest.importorskip("numpy", reason="all outcomes of 80 samples are weighed by numpy")
    stats = pytest.importorskip("scipy.stats", reason="the multinomial is scipy's")
    worse, better = shares
    seen = [(b, c, 80 - b - c) for b in range(30) for c in range(30)]
    chances = stats.multinomial.pmf(np.array(seen), 80, [worse, better, 1 - worse - better])
    likely = [(each, p) for each, p in zip(seen, chances, strict=True) if p > 1e-7]
    intervals = [(share_drop(b, c, 80, 0.95), p) for (b, c, _), p in likely]
    held = sum(p for (low, high), p in intervals if low <= worse - better <= high)

    assert 0.95 <= held <= 1


@pytest.mark.parametrize(("worse", "better"), COUNTS)
def test_the_interval_excludes_no_drop_only_where_mcnemar_tells_the_models_apart(
    worse: int, better: int
) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is what it is compared with")
    low, high = share_drop(worse, better, 5000, 0.95)
    apart = stats.binomtest(worse, worse + better, 0.5).pvalue <= 0.05

    assert low <= (worse - better) / 5000 <= high
    assert apart or low <= 0 <= high


def test_no_difference_among_few_samples_does_not_prove_that_there_is_none() -> None:
    # One-sided, none of n at 97.5 %: 1 - 0.025 ** (1 / n), the rule of three's exact form.
    assert share_drop(0, 0, 100, 0.95)[1] == pytest.approx(1 - 0.025 ** (1 / 100), abs=1e-9)


def test_as_many_samples_are_needed_as_clear_the_interval_of_the_tolerance() -> None:
    def interval(count: float) -> tuple[float, float]:
        return share_drop(count * 0.01, count * 0.008, count, 0.95)

    needed = samples_needed(interval, 0.01, 500)

    assert needed is not None
    assert interval(500)[1] > 0.01 >= interval(needed)[1]
    assert interval(needed * 0.98)[1] > 0.01  # hardly fewer would do


def test_no_number_of_samples_decides_a_drop_of_just_what_is_allowed() -> None:
    def interval(count: float) -> tuple[float, float]:
        return share_drop(count * 0.02, count * 0.01, count, 0.95)

    assert samples_needed(interval, 0.01, 1000) is None
    assert MOST_SAMPLES == 10**8
