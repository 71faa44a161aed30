"""Fresh workers take turns; slow ones are set aside and replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest

from pytest_edgebudget.data import DataFile
from pytest_edgebudget.devices.base import Circumstances, Watch
from pytest_edgebudget.measure.subject import Subject
from pytest_edgebudget.measure.timing import LONGEST, startup, timings
from pytest_edgebudget.metrics import cold_start, latency, latency_p95, latency_p99, ram
from pytest_edgebudget.store import Store
from pytest_edgebudget.testing import MockDevice
from pytest_edgebudget.types import DeviceChoice
from tests.measure.help import artifact, read, wanted


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"not read by the fakes")
    return path


def subject(model: Path, device: MockDevice, data: DataFile | None = None) -> Subject:
    return Subject(
        artifact=artifact(model),
        device=device,
        data=data,
        split="test",
        first=None,
        source=None,
        state="reset",
    )


def test_five_workers_are_timed_in_turns_of_random_order(model: Path) -> None:
    device = MockDevice()
    found = timings(subject(model, device), 299)
    assert device.started == 5
    assert found.set_aside == 0
    assert len(found.workers) == 5
    assert len(found.runs) >= 299
    turns = device.log[5:]  # after each worker's warm-up
    rounds = [turns[i : i + 5] for i in range(0, len(turns), 5)]
    assert all(sorted(each) == ["w1", "w2", "w3", "w4", "w5"] for each in rounds)
    assert len({tuple(each) for each in rounds}) > 1


def test_a_device_is_loaded_before_it_is_timed_when_the_budget_says_so(model: Path) -> None:
    device = Loaded()
    started = monotonic()
    timings(subject(model, device), 15)
    assert monotonic() - started >= 0.05
    assert device.log.count("w1") > device.log.count("w2")


class Loaded(MockDevice):
    @property
    def choice(self) -> DeviceChoice:
        return replace(super().choice, sustained=0.05)


def test_a_board_that_was_hot_widens_the_interval_and_says_so(model: Path) -> None:
    value = latency.METRIC.read(timings(subject(model, Hot()), 15), {})
    assert value.low == pytest.approx(0.01 * 0.9)
    assert value.high == pytest.approx(0.01 * 1.1)
    assert value.note.endswith("throttled at 82 C")


class Hot(MockDevice):
    @contextmanager
    def quiet(self) -> Iterator[Watch]:
        yield Throttled()


class Throttled:
    def seen(self) -> Circumstances:
        return Circumstances(("throttled at 82 C",), 0.1)


def test_a_slow_worker_is_set_aside_and_replaced(model: Path) -> None:
    device = MockDevice([0.01, 0.01, 0.02, 0.01])
    found = timings(subject(model, device), 59)
    assert (found.set_aside, device.started, len(found.workers)) == (1, 6, 5)
    assert set(found.runs) == {0.01}


def test_a_machine_that_stays_slow_gets_three_replacements(model: Path) -> None:
    device = MockDevice([0.01, 0.01, 0.01, 0.02, 0.02])
    found = timings(subject(model, device), 59)
    assert (found.set_aside, device.started, len(found.workers)) == (5, 8, 3)


def test_a_small_difference_between_workers_is_kept(model: Path) -> None:
    device = MockDevice([0.010, 0.011, 0.012, 0.010, 0.011])
    assert timings(subject(model, device), 59).set_aside == 0


def test_a_slow_model_is_timed_as_often_as_the_metric_needs(model: Path) -> None:
    device = MockDevice([2.0])
    assert len(timings(subject(model, device), 15).runs) == 15


def test_too_few_runs_for_a_percentile_are_said(model: Path, store: Store) -> None:
    device = MockDevice([LONGEST / 10])
    found = read(artifact(model), wanted(latency.METRIC, latency_p99.METRIC), device, store)
    assert found.readings["latency"].value == LONGEST / 10
    assert found.missing["latency_p99"].reason == (
        "latency_p99 needs 299 runs to be bounded, and there was time for 10"
    )


def test_latency_has_the_workers_medians_as_interval_and_says_what_it_saw(
    model: Path, store: Store
) -> None:
    device = MockDevice([0.010, 0.011, 0.012, 0.011, 0.020, 0.011])
    metrics = wanted(latency.METRIC, latency_p95.METRIC)
    found = read(artifact(model), metrics, device, store).readings["latency"]
    assert (found.value, found.low, found.high) == (0.011, 0.010, 0.012)
    assert found.noisy
    assert found.note.startswith("min 10.0 ms, median 11.0 ms, ")
    assert found.note.endswith(" runs of 5 workers, 1 slow worker set aside")


def test_cold_start_and_ram_are_medians_with_their_range(model: Path, store: Store) -> None:
    device = MockDevice([0.5, 0.1, 0.2, 0.4, 0.3])
    assert startup(subject(model, device)).seconds == (1.5, 1.1, 1.2, 1.4, 1.3)
    device = MockDevice([0.5, 0.1, 0.2, 0.4, 0.3])
    cold = read(artifact(model), wanted(cold_start.METRIC), device, store).readings["cold_start"]
    assert (cold.value, cold.low, cold.high) == (1.3, 1.1, 1.5)
    device = MockDevice([5, 4, 6])
    weight = read(artifact(model), wanted(ram.METRIC), device, store).readings["ram"]
    pages = 16 * 1024  # two runs differ by a few, whatever the workers of one run agree on
    assert (weight.value, weight.high) == (5000 + 4096, 6000 + 4096 + pages)
    assert weight.low == max(0, 4000 + 4096 - pages)
    assert weight.note == "4.88 KiB anonymous + 4.00 KiB mapped file"


def test_what_a_device_cannot_tell_is_missing_with_its_reason(model: Path, store: Store) -> None:
    from pytest_edgebudget.metrics import instructions

    found = read(artifact(model), wanted(instructions.METRIC), MockDevice(), store)
    assert found.missing["instructions"].reason == "a mock counts no instructions"
