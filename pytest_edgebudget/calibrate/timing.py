"""Many models timed in turns, in fresh workers: the least of the medians of each."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic

from pytest_edgebudget.devices import Device
from pytest_edgebudget.devices.base import Circumstances, Worker
from pytest_edgebudget.errors import EdgeBudgetError, ModelError

PASSES = 6
"""Workers at most: one in ten runs slowly all its life, and a machine has bad moments."""
FEWEST = 2
BLOCK = 0.02  # seconds
BLOCK_RUNS = 400
UNSTEADY = 1.15
"""A model that usually takes so many times its least was not timed on a board at rest."""
MOST_UNSTEADY = 0.25


@dataclass(frozen=True, slots=True)
class Turns:
    """*times*: of each model, in seconds, one a worker; *seen*: how the device was meanwhile."""

    times: Mapping[str, Sequence[float]]
    seen: Circumstances


def time_in_turns(
    device: Device,
    models: Mapping[str, Path],
    *,
    seconds: float,
    say: Callable[[str], None],
) -> Turns:
    """
    Medians of a block of runs of each model, one a worker.

    A model that the runtime refuses has none. *seconds*: for all of it.

    Raises:
        EdgeBudgetError: two workers cannot time all models in that time.
        DeviceError: a worker crashed or hung.
    """
    began = monotonic()
    clock = Clock(began, seconds, FEWEST * len(models))
    found: dict[str, list[float]] = {name: [] for name in _copied(device, models, clock, say)}
    order = random.Random(0)  # noqa: S311 no secret
    seen: list[Circumstances] = []
    first = monotonic()
    while len(seen) < PASSES:
        done, now = len(seen), monotonic()
        if done >= FEWEST and now + (now - first) / done > began + seconds:
            break
        names = order.sample(sorted(found), len(found))
        with device.quiet() as watch, device.worker("tflite") as worker:
            for number, name in enumerate(names):
                if done < FEWEST:
                    clock.check(done * len(names) + number)
                say(f"worker {done + 1}: {number + 1} of {len(names)}, {name}")
                worker.load(models[name])
                found[name].append(_block(worker))
            # Now, while the worker lives: later its work would be that of others.
            seen.append(watch.seen())
    return Turns(found, _together(seen))


@dataclass(frozen=True, slots=True)
class Clock:
    """How much time there is since *began* for so many timings."""

    began: float
    seconds: float
    whole: int

    def check(self, done: int) -> None:
        """Raises EdgeBudgetError when it is over."""
        if monotonic() - self.began > self.seconds:
            raise _too_slow(done, self.whole, self.seconds)


def _copied(
    device: Device, models: Mapping[str, Path], clock: Clock, say: Callable[[str], None]
) -> list[str]:
    """The models that the runtime takes; all are over there then, and nothing is copied later."""
    names = []
    with device.worker("tflite") as worker:
        for number, (name, path) in enumerate(models.items(), 1):
            clock.check(0)
            say(f"copying {number} of {len(models)}")
            with suppress(ModelError):
                worker.load(path)
                names.append(name)
    return names


def _block(worker: Worker) -> float:
    usual = min(worker.time(2, warmup=1))
    return median(worker.time(max(3, min(BLOCK_RUNS, round(BLOCK / max(usual, 1e-9))))))


def _together(seen: Sequence[Circumstances]) -> Circumstances:
    """The worst of it."""
    return max(seen, key=lambda each: (is_throttled(each), each.widen))


def is_throttled(seen: Circumstances) -> bool:
    """Whether the board slowed itself, by however much."""
    return any(note.startswith("the board was throttled") for note in seen.notes)


def _too_slow(done: int, whole: int, seconds: float) -> EdgeBudgetError:
    return EdgeBudgetError(
        f"{done} of {whole} timings were done in {seconds:.0f} s",
        f"give it more time: --seconds {2 * seconds * whole / max(done, 1):.0f}",
    )


def unsteady(times: Mapping[str, Sequence[float]]) -> Circumstances:
    """
    What the timings themselves say of a board: calm, or now fast and now slow.

    A model's usual time is the median over the workers; on a board at rest it is
    within a few percent of the least, whatever the model.
    """
    ratios = [median(each) / min(each) for each in times.values() if len(each) > 1]
    off = sum(ratio > UNSTEADY for ratio in ratios) / max(len(ratios), 1)
    if off <= MOST_UNSTEADY:
        return Circumstances()
    slower = median(ratio for ratio in ratios if ratio > UNSTEADY) - 1
    note = f"{off:.0%} of the models ran now fast and now slow, by {slower:.0%} at the median"
    return Circumstances((f"{note}: it is busy, or slows itself to cool down",), slower)
