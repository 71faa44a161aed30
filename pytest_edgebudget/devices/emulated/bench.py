"""Workers under QEMU, one for each runtime, kept while a device is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest_edgebudget
from pytest_edgebudget.devices.client import Limits, WorkerClient
from pytest_edgebudget.devices.connection import Connection
from pytest_edgebudget.devices.emulated.board import Board
from pytest_edgebudget.devices.emulated.counter import ENVIRONMENT, Counts, CountsFile
from pytest_edgebudget.devices.emulated.tether import tether
from pytest_edgebudget.errors import DeviceError

WORKER = Path(pytest_edgebudget.__file__).parent / "worker"
SLOWDOWN = 5  # of the time limits; a run of one sample is up to 400 times slower
LIMITS = Limits().times(SLOWDOWN)


@dataclass(slots=True)
class Seat:
    """A worker with a *runtime*, its connection, its counter's file (None without one)."""

    runtime: str
    connection: Connection
    client: WorkerClient
    counts: CountsFile | None

    def alone(self) -> WorkerClient:
        """The same worker, that loads models with one thread."""
        return _client(self.connection, self.runtime, 1)

    def count(self, client: WorkerClient, runs: int) -> Sequence[Counts]:
        """Count so many inferences of the model that *client* loaded."""
        assert self.counts is not None
        self.counts.skip()
        client.count(runs)
        return self.counts.inferences()[-runs:]


@dataclass(slots=True)
class Bench:
    """
    The workers of one emulated board.

    Starting one takes seconds, most of them Python's imports: it is kept from
    metric to metric, and a new one is started when it died.
    """

    _seats: dict[str, Seat] = field(default_factory=dict)

    @contextmanager
    def seat(self, board: Board, runtime: str, threads: int) -> Iterator[Seat]:
        """The worker for a runtime. Whatever breaks it, it is not used again."""
        if runtime not in self._seats:
            self._seats[runtime] = _start(board, runtime, threads)
        try:
            yield self._seats[runtime]
        except BaseException as error:
            if isinstance(error, DeviceError) or not isinstance(error, Exception):
                self._end(runtime, error)
            raise

    def close(self) -> None:
        """End all workers."""
        for runtime in list(self._seats):
            self._end(runtime, None)

    def _end(self, runtime: str, error: BaseException | None) -> None:
        seat = self._seats.pop(runtime)
        # An interrupted user does not wait for a model.
        seat.connection.__exit__(type(error) if error else None, error, None)
        if seat.counts is not None:
            seat.counts.close()


def _client(connection: Connection, runtime: str, threads: int) -> WorkerClient:
    return WorkerClient(connection, runtime=runtime, threads=threads, python="", limits=LIMITS)


def _start(board: Board, runtime: str, threads: int) -> Seat:
    counts = CountsFile() if board.counter is not None else None
    connection: Connection | None = None
    try:
        environment = board.environment(runtime)
        if counts is not None:
            environment[ENVIRONMENT] = str(counts.path)
        command = [*tether(board.memory), *board.command(), str(WORKER)]
        connection = Connection(command, what=f"the emulated {runtime} worker", env=environment)
        client = _client(connection, runtime, threads)
        client.hello()
        if counts is not None:
            counts.opened()
        return Seat(runtime, connection, client, counts)
    except BaseException:
        if connection is not None:
            connection.close()
        if counts is not None:
            counts.close()
        raise
