"""When a ratio is kept, broken or undecided, on simulated workers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from pytest_edgebudget.against.deciding import FIRST, MOST, compare, decide, of_worker
from pytest_edgebudget.against.racing import Pair


def workers(ratio: float, seed: int) -> Callable[[int], float]:
    """Workers as they were recorded: close together, one in thirty off by up to 5 %."""
    drawn = random.Random(seed)

    def ask(number: int) -> float:
        del number
        wild = drawn.uniform(-0.05, 0.05) if drawn.random() < 1 / 30 else 0.0
        return math.log(ratio) + drawn.gauss(0, 0.0015) + wild

    return ask


def outcomes(ratio: float, limit: float, rounds: int = 400) -> dict[str, float]:
    found = [compare(workers(ratio, seed), limit).outcome for seed in range(rounds)]
    return {name: found.count(name) / rounds for name in ("kept", "broken", "undecided")}


def test_a_program_compared_with_itself_is_kept() -> None:
    assert outcomes(1.0, 1.05)["broken"] == 0.0
    assert outcomes(1.0, 1.05)["kept"] >= 0.99


@pytest.mark.parametrize(("ratio", "limit"), [(1.05, 1.025), (1.10, 1.05)])
def test_twice_the_limit_is_broken_and_never_kept(ratio: float, limit: float) -> None:
    found = outcomes(ratio, limit)

    assert found["broken"] >= 0.95
    assert found["kept"] <= 0.01


def test_exactly_the_limit_is_undecided() -> None:
    found = outcomes(1.05, 1.05, rounds=100)

    assert found["undecided"] >= 0.9


def test_a_clear_answer_needs_few_workers_and_an_unclear_one_no_more_than_the_most() -> None:
    clear, unclear = compare(lambda n: 0.001 * (n % 2), 1.05), compare(lambda n: 0.05, 1.05)

    assert (clear.outcome, clear.workers, clear.repeated) == ("kept", FIRST, False)
    assert (unclear.outcome, unclear.workers) == ("undecided", MOST)


def test_red_is_confirmed_by_as_many_fresh_workers() -> None:
    slow_at_first = compare(lambda n: 0.2 if n < FIRST else 0.0, 1.05)
    slow = compare(lambda n: 0.2, 1.05)

    assert (slow_at_first.outcome, slow_at_first.repeated) == ("undecided", True)
    assert (slow.outcome, slow.workers, slow.repeated) == ("broken", 2 * FIRST, True)
    assert slow.low > 1.05


def test_the_interval_is_that_of_student_and_never_below_the_floor() -> None:
    # scipy.stats.t.interval(0.99, 2, loc=0, scale=0.01 / sqrt(3)) is +-0.05730
    ratio = decide([-0.01, 0.0, 0.01], 1.05)
    assert math.log(ratio.high) == pytest.approx(0.0573, abs=1e-4)

    equal = decide([0.0, 0.0, 0.0], 1.05)
    assert math.log(equal.high) == pytest.approx(0.006)
    with pytest.raises(ValueError, match="2 workers are too few"):
        decide([0.0, 0.0], 1.05)


def test_a_worker_says_the_median_of_its_pairs() -> None:
    pairs = [Pair((1.0, 1.0, 9.0), (2.0, 2.0, 2.0)), Pair((1.0,), (2.0,)), Pair((5.0,), (1.0,))]

    assert of_worker(pairs) == pytest.approx(math.log(2))
