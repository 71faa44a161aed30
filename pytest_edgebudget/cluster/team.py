"""Who works for a search: any executor, processes of our own, a cluster."""

from __future__ import annotations

import os
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from typing import Protocol

from pytest_edgebudget.cluster.processes import ATTEMPTS, Processes
from pytest_edgebudget.cluster.remote import work
from pytest_edgebudget.errors import BuildError, DeviceError, EdgeBudgetError


class Team(Protocol):
    """Those who do tasks; *size* how many at once, *local*: they see this machine's files."""

    @property
    def size(self) -> int:
        """How many tasks can be done at once."""

    @property
    def local(self) -> bool:
        """Whether they read and write the search's own cache."""

    def submit(
        self, version: str, digest: str, case: bytes, task: bytes, *, device: str, measures: bool
    ) -> Future[bytes]:
        """
        Let somebody `remote.work`, for a model on *device*; *measures*: on that very device.

        Raises `DeviceError` where nobody can take it.
        """

    def has(self, device: str) -> bool:
        """Whether some of them have a device of this name to measure on."""

    def check(self) -> None:
        """Raise `DeviceError` when nobody is left."""

    def explain(self, error: BaseException, what: str) -> EdgeBudgetError:
        """The error to raise for one that a task ended with while *what* was done."""

    def close(self) -> None:
        """End what was started for the team."""


class Given:
    """An executor that somebody else made, or `Processes` of our own."""

    def __init__(self, executor: Executor, size: int | None = None) -> None:
        self._executor = executor
        known = getattr(executor, "_max_workers", None)
        self._size = size or (known if isinstance(known, int) else os.cpu_count() or 1)

    @property
    def size(self) -> int:
        """As many as it was told, else as the executor or the machine has."""
        return self._size

    @property
    def local(self) -> bool:
        """Python's own executors stay on this machine; of others it is not known."""
        return isinstance(self._executor, ThreadPoolExecutor | ProcessPoolExecutor | Processes)

    def submit(
        self, version: str, digest: str, case: bytes, task: bytes, *, device: str, measures: bool
    ) -> Future[bytes]:
        """To the executor; it knows of no boards."""
        del device, measures
        try:
            return self._executor.submit(work, version, digest, case, task)
        except RuntimeError as error:
            raise self.explain(error, "starting a task") from None

    def has(self, device: str) -> bool:
        """An executor knows of none."""
        del device
        return False

    def check(self) -> None:
        """An executor does not tell."""

    def explain(self, error: BaseException, what: str) -> EdgeBudgetError:
        """A process died, or something else that the executor says."""
        if isinstance(error, BrokenExecutor) and isinstance(self._executor, Processes):
            return BuildError(
                f"the process died {ATTEMPTS} times while {what}",
                "the system kills a process so when memory runs out: fewer workers may help",
            )
        words = str(error) or type(error).__name__
        return DeviceError(
            f"the executor failed while {what}: {words}",
            "a worker may have run out of memory: fewer workers at once, or another executor",
        )

    def close(self) -> None:
        """Ours ends; what was given stays."""
        if isinstance(self._executor, Processes):
            self._executor.shutdown()
