"""Many models on all cores; few of them in this process, which is sooner done."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_edgebudget.lint.files import shown
from pytest_edgebudget.lint.models import ModelJob, lint_model
from pytest_edgebudget.lint.result import FileResult

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

FEW = 24
"""Models that one process has done by the time that others would have begun."""

SMALL = 16 << 20
"""Bytes of models, likewise."""

SHARE = 16
"""Portions for each process: small enough that none is left with the last, large one."""


def lint_models(jobs: Sequence[ModelJob]) -> list[FileResult]:
    """The results of all jobs, in their order."""
    if cores() < 2 or len(jobs) < 2 or not _worth_it(jobs):
        return [lint_model(job) for job in jobs]
    return _on_all_cores(jobs)


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _worth_it(jobs: Sequence[ModelJob]) -> bool:
    return len(jobs) > FEW or sum(_size(job.path) for job in jobs) > SMALL


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _on_all_cores(jobs: Sequence[ModelJob]) -> list[FileResult]:
    done: dict[int, FileResult] = {}
    portions = _portions(jobs)
    for numbers, results in _attempt(portions, jobs):
        done.update(zip(numbers, results, strict=True))
    for number in range(len(jobs)):
        if number not in done:  # a process ended without a word: find out over which file
            done[number] = _alone(jobs[number])
    return [done[number] for number in range(len(jobs))]


def _portions(jobs: Sequence[ModelJob]) -> list[list[int]]:
    """Numbers of jobs, largest files first; small ones are handed out several at once."""
    order = sorted(range(len(jobs)), key=lambda number: -_size(jobs[number].path))
    length = max(1, len(jobs) // (cores() * SHARE))
    return [order[at : at + length] for at in range(0, len(order), length)]


def _attempt(
    portions: Iterable[list[int]], jobs: Sequence[ModelJob]
) -> Iterable[tuple[list[int], list[FileResult]]]:
    """The portions that were done; those of processes that ended early are left out."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    with ProcessPoolExecutor(cores(), _context(), initializer=_quiet) as pool:
        begun = [
            (numbers, pool.submit(_several, [jobs[number] for number in numbers]))
            for numbers in portions
        ]
        for numbers, future in begun:
            try:
                yield numbers, future.result()
            except BrokenProcessPool:
                continue


def _several(jobs: list[ModelJob]) -> list[FileResult]:
    return [lint_model(job) for job in jobs]


def _alone(job: ModelJob) -> FileResult:
    """One model in a process of its own, since it may be the one that ends it."""
    for _, results in _attempt([[0]], [job]):
        return results[0]
    path = shown(job.path)
    return FileResult(path=path, crashes=(f"{path}: the process that looked at it was killed",))


def _context() -> BaseContext:
    """
    A fork has all modules already. It is safe here: the linter starts no threads.

    Elsewhere processes start anew, which takes as long as the linter's own start.
    """
    import multiprocessing

    return multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


def _quiet() -> None:
    """Ctrl-C is for the process that people see; it tells the others to end."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # how the pool ends them
