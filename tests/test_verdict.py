"""Verdicts: what is kept, broken, undecided or unmeasured, and what fails."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_edgebudget.types import (
    Better,
    Drop,
    Evidence,
    Missing,
    Outcome,
    Tolerance,
    Verdict,
    Waiver,
)
from pytest_edgebudget.verdict import Case, excess, judge, surely_broken
from tests.values import PLACE, limit, reading

TODAY = date(2026, 11, 24)
POINT = Tolerance(0.01, relative=False)
NOISY: dict[str, Any] = {"noisy": True, "evidence": Evidence.MEASURED}


def verdict(*, strict: bool = False, better: Better = Better.LOWER, **parts: Any) -> Verdict:
    return judge(Case(better=better, **parts), model="model", today=TODAY, strict=strict)


@pytest.mark.parametrize(
    ("value", "outcome"), [(99, Outcome.KEPT), (100, Outcome.KEPT), (101, Outcome.BROKEN)]
)
def test_an_exact_reading_is_judged_by_its_value(value: float, outcome: Outcome) -> None:
    assert verdict(limit=limit(max=100.0), reading=reading(value)).outcome is outcome


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [(80, 99, Outcome.KEPT), (101, 120, Outcome.BROKEN), (90, 110, Outcome.UNDECIDED)],
)
def test_a_noisy_reading_is_judged_by_its_interval(
    low: float, high: float, outcome: Outcome
) -> None:
    found = reading((low + high) / 2, low=low, high=high, **NOISY)

    assert verdict(limit=limit(max=100.0), reading=found).outcome is outcome


def test_an_accuracy_is_judged_by_its_value_unless_a_confidence_is_asked() -> None:
    found = reading(0.9025, low=0.880, high=0.921)
    floor: dict[str, Any] = {"better": Better.HIGHER, "reading": found}

    assert verdict(limit=limit(min=0.9), **floor).outcome is Outcome.KEPT
    assert verdict(limit=limit(min=0.9, confidence=0.95), **floor).outcome is Outcome.UNDECIDED


def test_a_drop_of_exactly_one_point_keeps_a_limit_of_one_point() -> None:
    judged = verdict(
        better=Better.HIGHER,
        limit=limit(max_drop=POINT),
        reading=reading(0.4906),
        before=reading(0.5006),
    )

    assert 0.5006 - 0.01 > 0.4906  # floating point alone would call it broken
    assert judged.outcome is Outcome.KEPT


def test_a_drop_is_seen_from_the_source_model_in_the_direction_of_the_metric() -> None:
    drop = limit(max_drop=Tolerance(0.10, relative=True))

    error = verdict(limit=drop, reading=reading(1.2), before=reading(1.0))
    score = verdict(limit=drop, better=Better.HIGHER, reading=reading(1.2), before=reading(1.0))

    assert error.outcome is Outcome.BROKEN
    assert error.bounds[0].bound == pytest.approx(1.1)
    assert score.outcome is Outcome.KEPT


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [(0.0, 0.01, Outcome.KEPT), (0.011, 0.03, Outcome.BROKEN), (0.0, 0.02, Outcome.UNDECIDED)],
)
@pytest.mark.parametrize("better", Better)
def test_a_drop_is_judged_in_pairs_when_a_confidence_is_asked(
    better: Better, low: float, high: float, outcome: Outcome
) -> None:
    drop = Drop(value=0.009, low=low, high=high, confidence=0.95, samples=800)
    lower = 0.0 if better is Better.HIGHER else 0.018
    found = reading(0.891 + lower, low=0.86, high=0.92, drop=drop)
    case: dict[str, Any] = {"better": better, "reading": found, "before": reading(0.9)}
    asked = verdict(limit=limit(max_drop=POINT, confidence=0.95), **case)

    assert asked.outcome is outcome
    assert (asked.bounds[0].needed is not None) is (outcome is Outcome.UNDECIDED)
    assert asked.bounds[0].headroom == pytest.approx(0.001 / asked.bounds[0].bound)
    assert asked.bounds[0].upper is (better is Better.LOWER)
    assert verdict(limit=limit(max_drop=POINT), **case).outcome is Outcome.KEPT  # by its value


def test_no_flipped_answer_keeps_a_limit_of_no_drop_at_all_by_its_value_only() -> None:
    drop = Drop(value=0.0, low=-0.005, high=0.005, confidence=0.95, samples=700, worse=0, better=0)
    case: dict[str, Any] = {"reading": reading(0.9, drop=drop), "before": reading(0.9)}
    nothing = Tolerance(0.0, relative=False)
    higher = Better.HIGHER

    asked = verdict(limit=limit(max_drop=nothing, confidence=0.95), better=higher, **case)

    assert asked.outcome is Outcome.UNDECIDED
    assert asked.bounds[0].needed is None
    assert verdict(limit=limit(max_drop=nothing), better=higher, **case).outcome is Outcome.KEPT


def test_a_drop_without_a_source_reading_is_unmeasured_with_the_reason() -> None:
    judged = verdict(
        limit=limit(max_drop=POINT), reading=reading(1.0), before=Missing("m", "no labels")
    )

    assert (judged.outcome, judged.reason, judged.fails) == (Outcome.UNMEASURED, "no labels", True)


@pytest.mark.parametrize(
    ("value", "outcome"), [(1015, Outcome.KEPT), (1021, Outcome.KEPT), (1031, Outcome.BROKEN)]
)
def test_a_regression_must_exceed_both_the_share_and_the_smallest_change(
    value: float, outcome: Outcome
) -> None:
    bounds = limit(
        max_regression=Tolerance(0.02, relative=True), min_change=Tolerance(30, relative=False)
    )

    assert verdict(limit=bounds, reading=reading(value), locked=reading(1000)).outcome is outcome


def test_a_regression_without_a_lock_is_never_a_pass() -> None:
    judged = verdict(limit=limit(max_regression=POINT), reading=reading(1.0))

    assert judged.outcome is Outcome.UNMEASURED
    assert judged.fails
    assert "--edge-budget-update" in judged.reason


def test_readings_of_other_runtimes_are_not_compared() -> None:
    judged = verdict(
        limit=limit(max_regression=POINT),
        reading=reading(1.0, key=(("runtime", "litert 2.3.0"),)),
        locked=reading(1.0, key=(("runtime", "litert 2.2.0"),)),
    )

    assert judged.outcome is Outcome.UNMEASURED
    assert judged.reason == (
        "not comparable with the lock: runtime litert 2.2.0 then, litert 2.3.0 now"
    )


def test_a_computed_reading_is_compared_across_machines_a_physical_one_is_not() -> None:
    here, there = (("cpu", "here"),), (("cpu", "there"),)
    bounds = limit(max_regression=POINT)

    accuracy = verdict(
        limit=bounds,
        better=Better.HIGHER,
        reading=reading(0.9, key=here),
        locked=reading(0.9, key=there),
    )
    latency = verdict(
        limit=bounds,
        reading=reading(0.9, key=here, **NOISY),
        locked=reading(0.9, key=there, **NOISY),
    )

    assert accuracy.outcome is Outcome.KEPT
    assert latency.outcome is Outcome.UNMEASURED


def test_evidence_that_the_limit_does_not_accept_is_unmeasured() -> None:
    judged = verdict(limit=limit(max=1.0), reading=reading(0.5, evidence=Evidence.HOST))

    assert judged.outcome is Outcome.UNMEASURED
    assert judged.reason == "the reading is host; this limit accepts exact, measured"


@pytest.mark.parametrize(
    ("changes", "fails"),
    [
        ({"reading": reading(2.0)}, True),
        ({"reading": reading(2.0), "limit": limit(max=1.0, level="warn")}, False),
        ({"reading": Missing("m", "no board")}, True),
        (
            {"reading": Missing("m", "no board"), "limit": limit(max=1.0, when_missing="skip")},
            False,
        ),
        ({"reading": reading(1.0, low=0.5, high=2.0, **NOISY)}, False),
        (
            {
                "reading": reading(1.0, low=0.5, high=2.0, **NOISY),
                "limit": limit(max=1.0, undecided="fail"),
            },
            True,
        ),
    ],
)
def test_what_fails_is_what_the_limit_says(changes: dict[str, Any], fails: bool) -> None:
    assert verdict(**({"limit": limit(max=1.0)} | changes)).fails is fails


def test_strict_makes_undecided_fail() -> None:
    found = reading(1.0, low=0.5, high=2.0, **NOISY)

    assert verdict(limit=limit(max=1.0), reading=found, strict=True).fails


@pytest.mark.parametrize(
    ("until", "value", "fails", "note"),
    [
        (date(2026, 11, 24), 2.0, False, "waived until 2026-11-24: wake word"),
        (date(2026, 11, 23), 2.0, True, "the waiver expired on 2026-11-23: wake word"),
        (date(2026, 11, 24), 0.5, False, "the waiver is not needed: remove it"),
    ],
)
def test_a_waiver_holds_to_its_day_and_is_named_when_it_is_not_needed(
    until: date, value: float, fails: bool, note: str
) -> None:
    judged = verdict(
        limit=limit(max=1.0),
        reading=reading(value),
        waiver=Waiver("m", "wake word", until, PLACE),
    )

    assert (judged.fails, judged.waiver_note) == (fails, note)


def test_the_worst_bound_decides_and_its_overrun_is_the_excess() -> None:
    judged = verdict(
        better=Better.HIGHER,
        limit=limit(min=0.8, max_drop=POINT),
        reading=reading(0.85),
        before=reading(0.95),
    )

    assert judged.outcome is Outcome.BROKEN
    assert [bound.outcome for bound in judged.bounds] == [Outcome.KEPT, Outcome.BROKEN]
    assert excess(judged) == pytest.approx(math.log(0.94 / 0.85))


def test_only_a_surely_broken_limit_rejects_a_candidate() -> None:
    undecided = reading(1.0, low=0.5, high=2.0, **NOISY)

    assert surely_broken(verdict(limit=limit(max=1.0), reading=reading(2.0)))
    assert not surely_broken(verdict(limit=limit(max=1.0), reading=undecided))
    assert not surely_broken(verdict(limit=limit(max=1.0, level="warn"), reading=reading(2.0)))
    assert not surely_broken(verdict(limit=limit(max=1.0), reading=Missing("m", "none")))


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9), st.floats(0, 1e6))
def test_no_reading_is_both_kept_and_broken(value: float, bound: float, width: float) -> None:
    found = reading(value, low=value - width, high=value + width, **NOISY)
    upper = verdict(limit=limit(max=bound), reading=found).outcome
    lower = verdict(limit=limit(min=bound), reading=found).outcome

    if upper is Outcome.BROKEN:
        assert lower is Outcome.KEPT
    if lower is Outcome.BROKEN:
        assert upper is Outcome.KEPT


def test_a_reading_that_is_not_a_number_is_never_kept() -> None:
    judged = verdict(limit=limit(max=1.0), reading=reading(math.nan))

    assert (judged.outcome, judged.fails) == (Outcome.UNMEASURED, True)


@pytest.mark.parametrize("base", ["before", "locked"])
def test_an_infinite_baseline_allows_nothing(base: str) -> None:
    kind = "max_drop" if base == "before" else "max_regression"
    judged = verdict(
        limit=limit(**{kind: POINT}), reading=reading(math.inf), **{base: reading(math.inf)}
    )

    assert (judged.outcome, judged.fails) == (Outcome.UNMEASURED, True)


def test_an_unmeasured_bound_that_may_be_skipped_does_not_hide_an_undecided_one() -> None:
    judged = verdict(
        limit=limit(max=1.0, max_regression=POINT, undecided="fail", when_missing="skip"),
        reading=reading(1.0, low=0.5, high=2.0, **NOISY),
    )

    assert judged.fails


def test_a_warning_stays_a_warning_under_strict() -> None:
    found = reading(1.0, low=0.5, high=2.0, **NOISY)

    assert not verdict(limit=limit(max=1.0, level="warn"), reading=found, strict=True).fails
