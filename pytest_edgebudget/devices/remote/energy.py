"""Joules of an inference above idle, from a meter that only counts up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from pytest_edgebudget.devices.base import CannotTell, Fill, Worker
from pytest_edgebudget.devices.remote.agent import meter as agent
from pytest_edgebudget.devices.remote.agent.refusal import Refusal
from pytest_edgebudget.facts import EnergyFacts
from pytest_edgebudget.types import Artifact

REPEATS = 5
WINDOW = 2.0  # seconds of one repetition: a sensor of 10 Hz is read 20 times
LONGEST = 60.0  # seconds of one, where a single inference takes long
FEWEST = 3  # inferences


@dataclass(frozen=True, slots=True)
class Point:
    """A look at a meter: *joules* and *seconds* since any moment, on one clock."""

    joules: float
    seconds: float


class Meter(Protocol):
    """What measures a device's energy."""

    @property
    def domain(self) -> str:
        """What of the device it measures, in words."""

    def read(self) -> Point:
        """Now. Raises CannotTell when it fails."""


@dataclass(frozen=True, slots=True)
class MeterHere:
    """A meter of this machine."""

    meter: agent.Meter

    @property
    def domain(self) -> str:
        """What it measures."""
        return self.meter.domain

    def read(self) -> Point:
        """Now."""
        try:
            told = self.meter.read()
        except Refusal as refusal:
            raise CannotTell(refusal.message, refusal.hint) from None
        return Point(told["joules"], told["seconds"])


@contextmanager
def meter_here(command: Sequence[str], root: str = "/") -> Iterator[MeterHere]:
    """
    A meter of this machine: the user's program, or a sensor below *root*.

    Raises CannotTell where there is none.
    """
    try:
        meter = agent.Meter(root, command)
    except Refusal as refusal:
        raise CannotTell(refusal.message, refusal.hint) from None
    try:
        yield MeterHere(meter)
    finally:
        meter.close()


def joules(
    artifact: Artifact,
    worker: Worker,
    fill: Fill,
    meter: Meter,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> EnergyFacts:
    """
    Measure idle, then the model in `REPEATS` windows, then idle once more.

    The worker is there and waits while idle is measured, so that only the
    inferences are counted.

    Args:
        artifact: the model; a worker has it loaded afterwards.
        worker: alone on the device.
        fill: puts inputs in place.
        meter: opened.
        sleep: waits so many seconds.

    Raises CannotTell where the meter sees no difference.
    """
    worker.load(artifact.path)
    fill(worker)
    runs = _runs(min(worker.time(3, warmup=2)))
    before = _idle(meter, sleep)
    windows = [_window(meter, worker, runs) for _ in range(REPEATS)]
    after = _idle(meter, sleep)
    facts = EnergyFacts(
        windows=tuple((point.joules, point.seconds) for point in windows),
        idle=(before, after),
        runs=runs,
        domain=meter.domain,
    )
    if facts.watts <= max(facts.idle):
        raise CannotTell(
            f"{meter.domain} sees no difference between running the model "
            f"({facts.watts:.3g} W) and idling ({max(facts.idle):.3g} W)",
            "a sensor nearer to the CPU may see it: energy_command in [device]",
        )
    return facts


def _runs(seconds: float) -> int:
    fits = max(1, math.floor(LONGEST / max(seconds, 1e-9)))
    return min(fits, max(FEWEST, math.ceil(WINDOW / max(seconds, 1e-9))))


def _idle(meter: Meter, sleep: Callable[[float], None]) -> float:
    """Watts while nothing runs."""
    start = meter.read()
    sleep(WINDOW)
    end = meter.read()
    return (end.joules - start.joules) / (end.seconds - start.seconds)


def _window(meter: Meter, worker: Worker, runs: int) -> Point:
    """Joules and seconds of so many inferences, and of the way to the worker and back."""
    start = meter.read()
    # As warm-up: nothing is noted of a run, and no list is sent back while the meter counts.
    worker.time(1, warmup=runs)
    end = meter.read()
    return Point(end.joules - start.joules, end.seconds - start.seconds)
