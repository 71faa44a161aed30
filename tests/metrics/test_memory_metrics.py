"""`arena`, `activation_plan`, `model_flash`: what they say about plans, one model or several."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices import load_profile, profiles
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.kernels import kernels_of
from pytest_edgebudget.errors import Place
from pytest_edgebudget.facts import FileFacts, PlanFacts
from pytest_edgebudget.graph.arena import Allocation, Band, Buffer, Plan, Step
from pytest_edgebudget.graph.memory import plan as plan_memory
from pytest_edgebudget.groups import judge_group
from pytest_edgebudget.metrics import activation_plan, arena, model_flash
from pytest_edgebudget.metrics.base import Value
from pytest_edgebudget.types import (
    Evidence,
    GroupBudget,
    Limit,
    Missing,
    Outcome,
    Reading,
    Tolerance,
)
from pytest_edgebudget.verdict import Case, judge

HERE = Place(Path("b.toml"), 1)
TAIL = Band(8_000, 7_000, 9_000)


def plan(
    size: int = 16_000,
    *,
    runtime: str = "tflm",
    exact: bool = True,
    reasons: tuple[str, ...] = (),
    persistent: Band | None = None,
) -> Plan:
    inputs, hidden = Buffer("x", 490, 0, 0, tensor=0), Buffer("hidden", 8_000, 0, 1, tensor=1)
    scratch, out = Buffer("softmax scratch", 12, 1, 1), Buffer("y", 12, 1, 1, tensor=2)
    return Plan(
        runtime=runtime,
        size=size,
        exact=exact,
        reasons=reasons,
        steps=(Step(0, 0), Step(0, 1)),
        allocations=tuple(
            Allocation(buffer, 16 * n) for n, buffer in enumerate((inputs, hidden, scratch, out))
        ),
        live=(8_490, 8_024),
        lower_bound=8_490,
        persistent=persistent,
    )


def reading(value: Value, name: str = "arena") -> Reading:
    """As `measure` makes it of an estimate."""
    assert value.low is not None
    assert value.high is not None
    return Reading(
        metric=name,
        value=value.value,
        low=value.low,
        high=value.high,
        evidence=value.evidence or Evidence.EXACT,
        noisy=True,
        note=value.note,
        shared=value.shared,
    )


def judged(value: Value, limit: int) -> Outcome:
    """What becomes of a limit on that arena."""
    case = Case(
        limit=Limit(metric="arena", max=limit, evidence=arena.METRIC.accepts, place=HERE),
        better=arena.METRIC.better,
        reading=reading(value),
    )
    return judge(case, model="m", today=date(2026, 1, 1)).outcome


def test_the_arena_of_tflm_is_head_and_tail_and_only_the_head_is_sure() -> None:
    value = arena.METRIC.read(PlanFacts(plan(persistent=TAIL), "tflm"), {})
    assert (value.value, value.low, value.high) == (24_000, 16_000, 25_000)
    assert value.evidence is Evidence.ESTIMATED
    assert value.shared == 16_000
    assert value.note == "head exact, tail estimated"


@pytest.mark.parametrize(
    ("limit", "outcome"),
    [
        (15_999, Outcome.BROKEN),
        (16_000, Outcome.UNDECIDED),
        (24_999, Outcome.UNDECIDED),
        (25_000, Outcome.KEPT),
    ],
)
def test_the_estimate_of_the_tail_decides_no_limit(limit: int, outcome: Outcome) -> None:
    value = arena.METRIC.read(PlanFacts(plan(persistent=TAIL), "tflm"), {})
    assert judged(value, limit) is outcome


def test_what_is_alive_at_the_peak_is_named_largest_first() -> None:
    value = arena.METRIC.read(PlanFacts(plan(persistent=TAIL), "tflm"), {})
    assert [(layer.name, layer.kind, layer.value) for layer in value.layers] == [
        ("hidden", "tensor", 8_000),
        ("x", "tensor", 490),
    ]


def test_an_op_that_is_not_known_leaves_a_lower_bound_and_is_named() -> None:
    unknown = plan(exact=False, reasons=("scratch of FFT2D is not known",), persistent=TAIL)
    value = arena.METRIC.read(PlanFacts(unknown, "tflm"), {})
    assert (value.low, value.high) == (16_000, math.inf)
    assert value.note == "at least: scratch of FFT2D is not known"


def test_litert_has_an_arena_only_with_kernels_that_use_it() -> None:
    facts = PlanFacts(plan(52_224, runtime="litert"), "litert", "reference")
    value = arena.METRIC.read(facts, {})
    assert (value.value, value.low, value.high) == (52_224, 52_224, None)
    assert value.evidence is None  # the metric's own: exact
    with pytest.raises(CannotTell, match="activation_plan tells"):
        arena.METRIC.read(PlanFacts(plan(runtime="litert"), "litert", ""), {})


def test_the_activation_plan_is_information_whatever_the_kernels() -> None:
    assert activation_plan.METRIC.informs
    value = activation_plan.METRIC.read(PlanFacts(plan(52_224, runtime="litert"), "litert"), {})
    assert (value.value, value.evidence) == (52_224, None)


def test_model_flash_is_the_file_up_to_the_next_multiple_of_sixteen(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(bytes(33))
    assert model_flash.METRIC.read(FileFacts(path, 33), {}).value == 48


def test_a_group_takes_the_largest_head_and_all_tails() -> None:
    small = arena.METRIC.read(PlanFacts(plan(6_000, persistent=TAIL), "tflm"), {})
    large = arena.METRIC.read(PlanFacts(plan(16_000, persistent=TAIL), "tflm"), {})
    limit = Limit(metric="arena", max=34_000, evidence=arena.METRIC.accepts, place=HERE)
    group = GroupBudget(name="both", models=("a", "b"), limits=(limit,), place=HERE)
    parts: dict[str, Reading | Missing] = {"a": reading(small), "b": reading(large)}
    found = judge_group(group, limit, arena.METRIC, parts, today=date(2026, 1, 1))
    assert found.reading is not None
    assert found.reading.value == 16_000 + 8_000 + 8_000
    assert (found.reading.low, found.reading.high) == (16_000, 16_000 + 9_000 + 9_000)
    assert found.reading.note == "the head of b, which all use in turn, + the tails of a, b"
    assert found.outcome is Outcome.KEPT


# --- kernels that ask for more or less ----------------------------------------------------


def between(size: int, upper: int | None) -> Plan:
    """A plan whose kernels ask for scratch by CPU."""
    reasons = ("CMSIS-NN may ask for more",)
    return replace(plan(size, exact=False, reasons=reasons, persistent=TAIL), upper=upper)


def test_the_most_that_kernels_ask_for_is_the_high_end() -> None:
    value = arena.METRIC.read(PlanFacts(between(16_000, 20_000), "tflm", "cmsis-nn"), {})
    assert (value.value, value.low, value.high) == (24_000, 16_000, 29_000)
    assert value.note == "head at least: CMSIS-NN may ask for more, tail estimated"


@pytest.mark.parametrize(
    ("limit", "outcome"),
    [
        (15_999, Outcome.BROKEN),
        (16_000, Outcome.UNDECIDED),
        (28_999, Outcome.UNDECIDED),
        (29_000, Outcome.KEPT),
    ],
)
def test_a_generous_limit_is_kept_whatever_the_kernels_ask_for(
    limit: int, outcome: Outcome
) -> None:
    value = arena.METRIC.read(PlanFacts(between(16_000, 20_000), "tflm", "cmsis-nn"), {})
    assert judged(value, limit) is outcome


def test_without_a_most_no_limit_is_kept() -> None:
    value = arena.METRIC.read(PlanFacts(between(16_000, None), "tflm", "esp-nn"), {})
    assert value.high == math.inf
    assert judged(value, 10**9) is Outcome.UNDECIDED


def test_planning_counts_where_it_needs_more_than_the_plan() -> None:
    small = replace(plan(600, persistent=TAIL), transient=1_500)
    value = arena.METRIC.read(PlanFacts(small, "tflm"), {})
    assert (value.value, value.low, value.high) == (9_500, 600, 10_500)


def test_a_group_counts_what_each_model_may_ask_for_once_above_the_largest_head() -> None:
    values = {
        "a": arena.METRIC.read(PlanFacts(between(6_000, 9_000), "tflm", "cmsis-nn"), {}),
        "b": arena.METRIC.read(PlanFacts(between(16_000, 20_000), "tflm", "cmsis-nn"), {}),
    }
    limit = Limit(metric="arena", max=41_000, evidence=arena.METRIC.accepts, place=HERE)
    group = GroupBudget(name="both", models=("a", "b"), limits=(limit,), place=HERE)
    parts: dict[str, Reading | Missing] = {name: reading(value) for name, value in values.items()}
    found = judge_group(group, limit, arena.METRIC, parts, today=date(2026, 1, 1))
    assert found.reading is not None
    assert found.reading.value == 16_000 + 8_000 + 8_000
    assert found.reading.low == 16_000
    # No less than the largest head at its most, and both tails at theirs.
    assert found.reading.high == 16_000 + 3_000 + 4_000 + 9_000 + 9_000 >= 20_000 + 18_000
    assert found.outcome is Outcome.KEPT


@pytest.mark.reference
@pytest.mark.parametrize(
    ("kibibytes", "outcome"),
    [(15, Outcome.BROKEN), (20, Outcome.UNDECIDED), (32, Outcome.KEPT)],
)
def test_a_keyword_spotter_on_a_microcontroller_has_a_verdict(
    reference_models: Path, kibibytes: int, outcome: Outcome
) -> None:
    nano = load_profile(profiles()["nrf52840-tflm"])
    model = graph.read(reference_models / "kws_dscnn/models/kws_int8.tflite")
    facts = PlanFacts(plan_memory(model, "tflm", kernels_of(nano)), "tflm", nano.kernels)
    assert judged(arena.METRIC.read(facts, {}), kibibytes * 1024) is outcome


def regression(now: Value, then: Value) -> Outcome:
    """A limit of 2 % against a lock."""
    limit = Limit(
        metric="arena",
        max_regression=Tolerance(0.02, relative=True),
        evidence=arena.METRIC.accepts,
        place=HERE,
    )
    case = Case(limit=limit, better=arena.METRIC.better, reading=reading(now), locked=reading(then))
    return judge(case, model="m", today=date(2026, 1, 1)).outcome


def test_the_band_of_an_estimate_is_no_part_of_a_regression() -> None:
    before = arena.METRIC.read(PlanFacts(plan(16_000, persistent=TAIL), "tflm"), {})
    larger = arena.METRIC.read(PlanFacts(plan(17_000, persistent=TAIL), "tflm"), {})
    assert regression(before, before) is Outcome.KEPT
    assert regression(larger, before) is Outcome.BROKEN


def test_a_group_says_why_its_arena_has_no_upper_end() -> None:
    unknown = plan(exact=False, reasons=("scratch of FFT2D is not known",), persistent=TAIL)
    value = arena.METRIC.read(PlanFacts(unknown, "tflm"), {})
    limit = Limit(metric="arena", max=34_000, evidence=arena.METRIC.accepts, place=HERE)
    group = GroupBudget(name="both", models=("a", "b"), limits=(limit,), place=HERE)
    sure = arena.METRIC.read(PlanFacts(plan(6_000, persistent=TAIL), "tflm"), {})
    parts: dict[str, Reading | Missing] = {"a": reading(value), "b": reading(sure)}
    found = judge_group(group, limit, arena.METRIC, parts, today=date(2026, 1, 1))
    assert found.reading is not None
    assert "; a: " in found.reading.note
    assert "FFT2D" in found.reading.note
