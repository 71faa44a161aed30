"""Joules of an inference are those above idle, whatever the way to the board takes."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pytest_edgebudget.devices import open_device, profile_named
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.remote.energy import Point, joules, meter_here
from pytest_edgebudget.facts import EnergyFacts
from pytest_edgebudget.metrics.energy import METRIC
from pytest_edgebudget.testing import MockWorker
from pytest_edgebudget.types import DeviceChoice
from tests.devices.remote import board_files
from tests.devices.ssh.conftest import WARM
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


def test_a_machine_that_is_the_device_is_measured_by_its_own_counter(
    tmp_path: Path, model: Path
) -> None:
    root = board_files.intel(tmp_path, psys=1_000_000)
    with meter_here((), str(root)) as meter:
        assert meter.domain == "RAPL psys"
        first = meter.read()
        board_files.intel(tmp_path, psys=3_500_000)
        assert meter.read().joules - first.joules == pytest.approx(2.5)
    with (
        pytest.raises(CannotTell, match="no sensor of power"),
        meter_here((), str(model.parent / "x")),
    ):
        pass


def test_a_stand_in_for_a_board_has_no_energy() -> None:
    here = open_device(DeviceChoice(profile=profile_named("raspberry-pi-4"), run="host"))
    assert here.refusal(EnergyFacts) == (
        "needs the device: energy of this machine is not that of raspberry-pi-4"
    )


def test_the_energy_of_this_machine_by_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten watts of a CPU that the worker keeps busy, by the kernel's own account of it."""
    pytest.importorskip("ai_edge_litert", reason="the runtime of this test")
    if not Path("/proc/self/schedstat").exists():
        pytest.skip("/proc/PID/schedstat tells how long a process had a CPU")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # a lease of this test's own
    monkeypatch.setattr("pytest_edgebudget.devices.remote.energy.WINDOW", 0.3)
    script = tmp_path / "meter.py"
    script.write_text(METER.format(parent=os.getpid()))
    command = (sys.executable, str(script))
    here = open_device(
        DeviceChoice(profile=profile_named("host"), run="host", energy_command=command)
    )
    gather = here.source(EnergyFacts)
    assert gather is not None
    facts = gather(artifact(WARM), lambda worker: None)
    assert isinstance(facts, EnergyFacts)
    assert facts.domain == f"what {Path(sys.executable).name} meter.py measures"
    with here.worker("tflite") as worker:
        worker.load(WARM)
        fastest = min(worker.time(1000, warmup=100))
    assert max(facts.idle) < 1
    # Other programs may take the CPU, and then nothing is counted; caches are what differs.
    assert 0.3 < METRIC.read(facts, {}).value / (10 * fastest) < 3


METER = """\
import glob
seconds = 0.0
for path in glob.glob("/proc/[0-9]*"):
    try:
        fields = open(path + "/stat").read().rpartition(")")[2].split()
        words = open(path + "/cmdline").read()
        if int(fields[1]) == {parent} and "worker" in words:
            seconds += int(open(path + "/schedstat").read().split()[0]) / 1e9
    except (OSError, IndexError):
        pass
print(10 * seconds, "J")
"""
