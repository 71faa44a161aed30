"""
Two models in one worker, timed in turns: what one fresh process says of their ratio.

A process may be slow for all its life, and what else the machine does comes in
waves; both models meet the same of either.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.devices.base import Samples
from pytest_edgebudget.devices.client import WorkerClient
from pytest_edgebudget.devices.host import HostDevice

BLOCK = 0.008  # seconds
BLOCK_RUNS = 200  # at most
PAIRS = 12  # of blocks in a worker, unless
SPENT = 1.5  # seconds are spent before, but
FEWEST = 5  # pairs in any case


@dataclass(frozen=True, slots=True)
class Pair:
    """Neighbouring blocks of the *base* and of the *new* model, in seconds an invoke."""

    base: tuple[float, ...]
    new: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """Two models on a device, with the samples whose first is their input."""

    device: HostDevice
    base: Path
    new: Path
    samples: Samples | None = None

    def worker(self, number: int, seed: int) -> tuple[Pair, ...]:
        """
        What worker number *number* says: its pairs of blocks, in the order of time.

        Which model is loaded first changes from worker to worker, and which block
        comes first is drawn for each pair.
        """
        first = number % 2  # where the base model is in the worker's list
        models = [self.new, self.base] if first else [self.base, self.new]
        with self.device.racing(self.base.suffix.removeprefix(".")) as worker:
            worker.pair(models, self.samples)
            runs, pairs = _plan(worker)
            drawn = random.Random(f"{seed}/{number}")  # noqa: S311 no secret
            order = [which for _ in range(pairs) for which in drawn.sample((0, 1), 2)]
            blocks = worker.interleave(order, runs)
        return tuple(_pair(order, blocks, index, first) for index in range(0, len(order), 2))


def _plan(worker: WorkerClient) -> tuple[list[int], int]:
    """Invokes a block of each model, and how many pairs of blocks."""
    few = worker.interleave([0, 1], [2, 2])
    if max(map(min, few)) < BLOCK / 10:
        few = worker.interleave([0, 1], [20, 20])
    usual = [max(min(times), 1e-9) for times in few]
    runs = [max(1, min(BLOCK_RUNS, round(BLOCK / each))) for each in usual]
    once = sum(n * each for n, each in zip(runs, usual, strict=True))
    return runs, max(FEWEST, min(PAIRS, int(SPENT / once)))


def _pair(order: Sequence[int], blocks: Sequence[tuple[float, ...]], at: int, first: int) -> Pair:
    base = at if order[at] == first else at + 1
    new = 2 * at + 1 - base
    return Pair(blocks[base], blocks[new])
