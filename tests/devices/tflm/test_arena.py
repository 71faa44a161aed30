"""The arena on a microcontroller, from what TensorFlow Lite Micro took on x86-64."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices import profile_named
from pytest_edgebudget.devices.tflm.arena import memory_facts, plan_facts
from pytest_edgebudget.graph.arena import ArenaRun
from pytest_edgebudget.graph.memory import plan
from pytest_edgebudget.graph.memory_tflm_run import arena_on_device, sure_tail
from pytest_edgebudget.metrics import arena as arena_metric
from pytest_edgebudget.types import Artifact, Evidence, Profile, Recipe

pytestmark = pytest.mark.reference

KWS = "kws_dscnn/models/kws_int8.tflite"
RAN = ArenaRun(smallest=24_272, head=16_000, tail=8_272)
"""By print_allocations and by bisection, tflite-micro 0.dev20261023182759."""

# print_allocations: 840 bytes of TfLiteEvalTensor, 832 of NodeAndRegistration: half of
# them on 32 bits. DS-CNN (Zhang et al., arXiv 1711.07128) has one convolution, four
# depthwise and four pointwise ones, of 64 channels: a multiplier and a shift of 4 bytes each.
SURE = (840 + 832) // 2 + 9 * 64 * 2 * 4

AD = "ad_autoencoder/models/ad01_int8.tflite"
AD_RAN = ArenaRun(smallest=4_640, head=768, tail=3_216)


def profile(**changes: object) -> Profile:
    return replace(profile_named("stm32l4r5-tflm"), **changes)  # type: ignore[arg-type]


def artifact(path: Path) -> Artifact:
    return Artifact(recipe=Recipe(()), path=path, sha256="0", size=path.stat().st_size)


def test_what_is_sure_of_the_tail_is_what_holds_no_pointer(reference_models: Path) -> None:
    assert sure_tail(graph.read(reference_models / KWS)) == SURE


def test_with_reference_kernels_what_ran_is_the_most(reference_models: Path) -> None:
    found = graph.read(reference_models / KWS)
    arena = arena_on_device(found, plan(found, "tflm"), "reference", RAN)
    assert (arena.value, arena.low, arena.high) == (24_272, 16_000 + SURE, 24_272)
    assert arena.head == 16_000


def test_cmsis_nn_adds_what_its_formulas_ask_for(reference_models: Path) -> None:
    found = graph.read(reference_models / KWS)
    planned = plan(found, "tflm", "cmsis-nn-dsp")
    assert planned.upper is not None
    arena = arena_on_device(found, planned, "cmsis-nn-dsp", RAN)
    assert arena.low == planned.size + SURE
    assert arena.high is not None
    assert arena.high >= planned.upper + RAN.tail
    assert arena.low < arena.value <= arena.high


def test_of_kernels_that_are_not_known_nothing_bounds_the_arena(reference_models: Path) -> None:
    found = graph.read(reference_models / KWS)
    arena = arena_on_device(found, plan(found, "tflm", "esp-nn"), "esp-nn", RAN)
    assert (arena.low, arena.high) == (16_000 + SURE, None)


def test_what_planning_takes_counts_where_it_is_more_than_the_head(
    reference_models: Path,
) -> None:
    found = graph.read(reference_models / AD)
    arena = arena_on_device(found, plan(found, "tflm"), "", AD_RAN)
    assert (arena.value, arena.high) == (4_640, 4_640)
    assert 768 < arena.low < 768 + 3_216


def test_the_metric_says_what_ran_and_what_was_added(reference_models: Path) -> None:
    facts = plan_facts(artifact(reference_models / KWS), profile(kernels="reference"), RAN)
    value = arena_metric.METRIC.read(facts, {})
    assert (value.value, value.low, value.high) == (24_272, 16_000 + SURE, 24_272)
    assert value.evidence is Evidence.ESTIMATED
    assert value.shared == 16_000
    assert value.note == (
        "23.7 KiB ran on x86-64, 8.08 KiB of it for good; less of that with 32-bit pointers"
    )
    board = plan_facts(artifact(reference_models / KWS), profile(), RAN)
    assert board.note.endswith("for cmsis-nn by its own formulas")
    esp = plan_facts(artifact(reference_models / KWS), profile_named("esp32s3-tflm"), RAN)
    assert esp.note.endswith("the scratch memory of esp-nn is not known")
    assert arena_metric.METRIC.read(esp, {}).high == math.inf


def test_ram_is_the_arena_against_the_largest_region(reference_models: Path) -> None:
    model = artifact(reference_models / KWS)
    board = profile_named("stm32u575-tflm")
    found = memory_facts(plan_facts(model, board, RAN), board)
    assert found.note.startswith("of 768 KiB, the largest region; arena alone: 23.7 KiB ran")
    assert found.evidence is Evidence.ESTIMATED
    nano = profile_named("nrf52840-tflm")
    found = memory_facts(plan_facts(model, nano, RAN), nano)
    assert found.note.startswith("of 256 KiB, the RAM; ")
    small = profile(regions=(), ram=8 << 10)
    found = memory_facts(plan_facts(model, small, RAN), small)
    assert found.note.startswith("more than the 8.00 KiB of the RAM; ")
