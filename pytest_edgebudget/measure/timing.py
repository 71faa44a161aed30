"""
Times of an inference, in fresh workers that take turns.

One worker in ten runs at half speed for its whole life on a shared machine,
and what else the machine does comes in waves: so several workers are timed in
turns, a block each, in an order that is drawn anew every round.
"""

from __future__ import annotations

import random
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from statistics import median
from time import monotonic

from pytest_edgebudget.devices import Worker
from pytest_edgebudget.facts import StartupFacts, Timings
from pytest_edgebudget.measure.subject import Subject

WORKERS = 5
BLOCK = 0.02  # seconds
BLOCK_RUNS = 1000  # at most: more of a short run say nothing more
ROUNDS = 10  # of blocks, unless
TOTAL = 1.0  # seconds of timed runs are there before
LONGEST = 60.0  # seconds, after which fewer runs must do
SLOW = 1.25  # times the usual: a worker to be set aside
REPLACEMENTS = 3
SEED = 0


@dataclass(slots=True, eq=False)
class Runner:
    """A worker with its model loaded, and what was read of it so far."""

    worker: Worker
    block: int  # runs a block
    runs: list[float] = field(default_factory=list)
    blocks: list[float] = field(default_factory=list)  # medians, in seconds

    def run_block(self) -> None:
        """Time one block."""
        times = self.worker.time(self.block)
        self.runs.extend(times)
        self.blocks.append(median(times))

    @property
    def fastest(self) -> float:
        """Seconds of a run in the fastest block."""
        return min(self.blocks)


def timings(subject: Subject, runs: int) -> Timings:
    """Time at least *runs* invokes, while nothing else of ours runs on the machine."""
    with ExitStack() as stack:
        watch = stack.enter_context(subject.device.quiet())
        runners = [_start(subject, stack) for _ in range(WORKERS)]
        _load(runners[0], subject.device.choice.sustained or 0.0)
        _take_turns(runners, runs)
        kept, slow = _sort_out(runners)
        aside, replacements = 0, REPLACEMENTS
        while slow:
            aside += len(slow)
            fresh = [_start(subject, stack) for _ in range(min(len(slow), replacements))]
            replacements -= len(fresh)
            _take_turns(fresh, runs * len(fresh) // WORKERS)
            kept, slow = _sort_out([*kept, *fresh])
        seen = watch.seen()
    return Timings(tuple(tuple(runner.runs) for runner in kept), aside, seen.notes, seen.widen)


def _load(runner: Runner, seconds: float) -> None:
    """Keep the device busy for so long: it is timed as warm as it gets in use."""
    end = monotonic() + seconds
    while monotonic() < end:
        runner.worker.time(runner.block)


def _start(subject: Subject, stack: ExitStack) -> Runner:
    worker = stack.enter_context(subject.device.worker(subject.artifact.format))
    worker.load(subject.artifact.path)
    put_inputs(worker, subject)
    usual = min(worker.time(2, warmup=1))
    if usual < BLOCK / 20:
        usual = min(worker.time(20))
    return Runner(worker, max(1, min(BLOCK_RUNS, round(BLOCK / max(usual, 1e-9)))))


def put_inputs(worker: Worker, subject: Subject) -> None:
    """Leave the first sample in the model's inputs; zeros where there is none."""
    if subject.samples is not None:
        with tempfile.TemporaryDirectory(prefix="edgebudget-") as folder:
            outputs = Path(folder) / "outputs.npz"
            worker.run(replace(subject.samples, first=1), "reset", outputs)


def _take_turns(runners: list[Runner], runs: int) -> None:
    """Blocks in random order, round by round, until there are enough."""
    order = random.Random(SEED)  # noqa: S311 no secret
    share = len(runners) / WORKERS
    for rounds in count(1):
        for runner in order.sample(runners, len(runners)):
            runner.run_block()
        done = sum(len(runner.runs) for runner in runners)
        spent = sum(sum(runner.runs) for runner in runners)
        enough = done >= runs and (rounds >= ROUNDS or spent >= TOTAL * share)
        if enough or spent >= LONGEST or not runners:
            return


def _sort_out(runners: list[Runner]) -> tuple[list[Runner], list[Runner]]:
    """The runners to keep, and those that run slowly throughout."""
    usual = median(runner.fastest for runner in runners)
    slow = [runner for runner in runners if runner.fastest > SLOW * usual]
    return [runner for runner in runners if runner not in slow], slow


def startup(subject: Subject) -> StartupFacts:
    """Time fresh workers from ready to their first output."""
    seconds = []
    with subject.device.quiet():
        for _ in range(WORKERS):
            with subject.device.worker(subject.artifact.format) as worker:
                loaded = worker.load(subject.artifact.path)
                seconds.append(loaded.seconds + worker.time(1)[0])
    return StartupFacts(tuple(seconds))
