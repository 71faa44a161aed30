"""Joules of an inference are those above idle, whatever the way to the board takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.remote.energy import Point, joules
from pytest_edgebudget.facts import EnergyFacts
from pytest_edgebudget.metrics.energy import METRIC
from pytest_edgebudget.testing import MockWorker
from tests.measure.help import artifact


@dataclass
class Bench(MockWorker):
    """A board of 2 W, and of 5 W while it runs a model of 1 ms; a call takes 10 ms more."""

    running: float = 5.0
    idle: float = 2.0
    drift: float = 0.0  # watts more with every second: it gets warm
    domain: str = "ina226"
    now: float = 0.0
    energy: float = 0.0

    def spend(self, seconds: float, watts: float) -> None:
        self.energy += seconds * (watts + self.drift * (self.now + seconds / 2))
        self.now += seconds

    def time(self, runs: int, warmup: int = 0) -> tuple[float, ...]:
        self.spend(0.01, self.idle)
        self.spend((runs + max(0, warmup - 1)) * self.seconds, self.running)
        return (self.seconds,) * runs

    def sleep(self, seconds: float) -> None:
        self.spend(seconds, self.idle)

    def read(self) -> Point:
        self.spend(0.001, self.idle)
        return Point(self.energy, self.now)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"not read here")
    return path


def measured(bench: Bench, model: Path) -> EnergyFacts:
    return joules(artifact(model), bench, lambda worker: None, bench, sleep=bench.sleep)


def bench(**how: float) -> Bench:
    return Bench(0.001, [], "w1", {"y": None}, **how)  # type: ignore[arg-type]


def test_an_inference_takes_its_time_at_the_power_above_idle(model: Path) -> None:
    value = METRIC.read(measured(bench(), model), {})
    # (5 W - 2 W) x 1 ms; of the pauses between the calls nothing is left.
    assert value.value == pytest.approx(0.003)
    assert (value.low, value.high) == (pytest.approx(0.003), pytest.approx(0.003))
    assert value.note.startswith("ina226, 4.9")
    assert value.note.endswith(" W running, 2 W idle, 5 x 2000 inferences")


def test_a_board_that_warms_up_has_an_interval_that_holds_the_truth(model: Path) -> None:
    value = METRIC.read(measured(bench(drift=0.02), model), {})
    assert value.low is not None
    assert value.high is not None
    assert value.low < 0.003 < value.high
    assert value.value == pytest.approx(0.003, rel=0.05)


def test_a_busy_board_has_a_wider_interval(model: Path) -> None:
    facts = replace(measured(bench(), model), widen=0.5, notes=("the board was busy",))
    value = METRIC.read(facts, {})
    assert (value.low, value.high) == (pytest.approx(0.0015), pytest.approx(0.0045))
    assert value.note.endswith(", the board was busy")


def test_a_sensor_that_sees_no_difference_has_no_number(model: Path) -> None:
    with pytest.raises(CannotTell, match=r"ina226 sees no difference .* \(2 W\) and idling"):
        measured(bench(running=2.0), model)
