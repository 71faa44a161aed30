"""`cpu_fallback` and `off_chip`: what they say about what an accelerator does not run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.facts import OffOp, PlacementFacts, Work
from pytest_edgebudget.graph.arena import Band
from pytest_edgebudget.metrics import cpu_fallback, off_chip
from pytest_edgebudget.metrics.base import Value
from pytest_edgebudget.types import Evidence

PLACEMENT = PlacementFacts(
    accelerator="the NPU",
    total=Work(10, 1_000),
    off=(
        OffOp("act", "ELU", 0, "the NPU has no ELU"),
        OffOp("conv", "CONV_2D", 250, "strides must be at most 3 (4x4)"),
    ),
    partitions=2,
    evidence=Evidence.EXACT,
    tool="compiler 1.0",
)


def fallback(placement: PlacementFacts, of: str = "macs") -> Value:
    return cpu_fallback.METRIC.read(placement, {"of": of})


def test_the_share_of_the_arithmetic_that_fell_off_names_each_operator_and_why() -> None:
    value = fallback(PLACEMENT)
    assert (value.value, value.low, value.high) == (0.25, 0.25, 0.25)
    assert value.evidence is Evidence.EXACT
    assert [(layer.name, layer.kind, layer.value) for layer in value.layers] == [
        ("conv", "CONV_2D: strides must be at most 3 (4x4)", 0.25),
        ("act", "ELU: the NPU has no ELU", 0.0),
    ]
    assert value.note == (
        "2 of 10 operators fell off, 2 pieces on the NPU; first ELU 'act': the NPU has no ELU"
    )


def test_operators_may_be_counted_instead() -> None:
    value = fallback(PLACEMENT, of="ops")
    assert (value.value, value.low, value.high) == (0.2, 0.2, 0.2)
    assert [layer.value for layer in value.layers] == [0.1, 0.1]


def test_nothing_falls_off_a_model_that_runs_in_one_piece() -> None:
    value = fallback(replace(PLACEMENT, off=(), partitions=1))
    assert (value.value, value.high, value.layers) == (0.0, 0.0, ())
    assert value.note == "0 of 10 operators fell off, 1 piece on the NPU"


def test_what_may_be_off_too_is_the_upper_end() -> None:
    value = fallback(replace(PLACEMENT, least=Work(2, 200), most=Work(5, 900)))
    assert (value.low, value.value, value.high) == (0.2, 0.25, 0.9)


def test_an_operator_that_cannot_be_counted_opens_the_interval_on_its_side() -> None:
    loop = OffOp("loop", "WHILE", None, "the NPU has no WHILE")
    off = fallback(replace(PLACEMENT, off=(*PLACEMENT.off, loop)))
    assert (off.low, off.value, off.high) == (0.25, 0.25, 1.0)
    on = fallback(replace(PLACEMENT, uncounted=1))
    assert (on.low, on.value, on.high) == (0.0, 0.25, 0.25)
    assert fallback(replace(PLACEMENT, uncounted=1), of="ops").low == 0.2


def test_a_model_without_multiply_accumulates_is_judged_by_its_operators_only() -> None:
    adds = replace(PLACEMENT, total=Work(4, 0), off=(OffOp("act", "ELU", 0, "no ELU"),))
    with pytest.raises(CannotTell, match="no multiply-accumulates") as caught:
        fallback(adds)
    assert 'of = "ops"' in caught.value.hint
    assert fallback(adds, of="ops").value == 0.25
    assert fallback(replace(adds, off=())).value == 0.0


def test_parameters_beyond_the_accelerators_memory_are_read_with_their_band() -> None:
    held = replace(
        PLACEMENT, off_chip=Band(1_000, 0, 9_000), evidence=Evidence.ESTIMATED, notes=("as told",)
    )
    value = off_chip.METRIC.read(held, {})
    assert (value.value, value.low, value.high) == (1_000, 0, 9_000)
    assert (value.evidence, value.note) == (Evidence.ESTIMATED, "as told")
    with pytest.raises(CannotTell, match="the NPU keeps"):
        off_chip.METRIC.read(PLACEMENT, {})
