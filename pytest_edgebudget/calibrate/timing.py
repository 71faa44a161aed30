"""Many models timed in turns, in fresh workers: the least of the medians of each."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import monotonic

from pytest_edgebudget.devices import Device
from pytest_edgebudget.devices.base import Circumstances
from pytest_edgebudget.errors import EdgeBudgetError, ModelError

PASSES = 6
"""Workers at most: one in ten runs slowly all its life, and a machine has bad moments."""
FEWEST = 2
BLOCK = 0.02  # seconds
BLOCK_RUNS = 400
UNSTEADY = 1.15
"""A model that usually takes so many times its least was not timed on a board at rest."""
MOST_UNSTEADY = 0.25


def time_in_turns(
    device: Device,
    models: Mapping[str, Path],
    *,
    seconds: float,
    say: Callable[[str], None],
) -> dict[str, list[float]]:
    """
    Medians of a block of runs of each model, one a worker, in seconds.

    A model that the runtime refuses has none. *seconds*: for all of it.

    Raises:
        EdgeBudgetError: two workers cannot time all models in that time.
        DeviceError: a worker crashed or hung.
    """
    found: dict[str, list[float]] = {name: [] for name in models}
    order, began, done = random.Random(0), monotonic(), 0  # noqa: S311 no secret
    while done < PASSES:
        spent = monotonic() - began
        if done >= FEWEST and spent * (done + 1) / done > seconds:
            break
        names = order.sample(sorted(found), len(found))
        with device.worker("tflite") as worker:
            for number, name in enumerate(names):
                if monotonic() - began > seconds and done < FEWEST:
                    raise _too_slow(done * len(names) + number, FEWEST * len(names), seconds)
                say(f"worker {done + 1}: {number + 1} of {len(names)}, {name}")
                try:
                    worker.load(models[name])
                    usual = min(worker.time(2, warmup=1))
                    runs = max(3, min(BLOCK_RUNS, round(BLOCK / max(usual, 1e-9))))
                    found[name].append(median(worker.time(runs)))
                except ModelError:
                    del found[name]
        done += 1
    return found


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
