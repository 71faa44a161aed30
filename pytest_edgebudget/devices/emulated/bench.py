"""Workers under QEMU, one for each runtime, kept while a device is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest_edgebudget
from pytest_edgebudget.devices.client import Limits, WorkerClient
from pytest_edgebudget.devices.connection import Connection
from pytest_edgebudget.devices.emulated.board import Board
from pytest_edgebudget.devices.emulated.counter import ENVIRONMENT, Counts, CountsFile
from pytest_edgebudget.devices.emulated.tether import tether
from pytest_edgebudget.errors import DeviceError

WORKER = Path(pytest_edgebudget.__file__).parent / "worker"
SLOWDOWN = 5  # of the time limits, each of them for one step: a run is up to 400 times slower
LIMITS = Limits().times(SLOWDOWN)


@dataclass(frozen=True, slots=True)
class Seat:
    """A worker with a *runtime*, its *connection*, what its counter wrote."""

    runtime: str
    connection: Connection
    client: WorkerClient
    counts: CountsFile

    def alone(self) -> WorkerClient:
        """The same worker, that loads models with one thread."""
        return _client(self.connection, self.runtime, 1)

    def count(self, client: WorkerClient, runs: int) -> Sequence[Counts]:
        """Count so many inferences of the model that *client* loaded."""
        self.counts.skip()
        client.count(runs)
        return self.counts.inferences()[-runs:]


Running = AbstractContextManager[Seat]


@dataclass(slots=True)
class Bench:
    """
    The workers of one emulated board.

    Starting one takes seconds, most of them Python's imports: it is kept from
    metric to metric, and a new one is started when it died.
    """

    _kept: dict[str, tuple[Running, Seat]] = field(default_factory=dict)

    @contextmanager
    def seat(self, board: Board, runtime: str, threads: int) -> Iterator[Seat]:
        """The worker for a runtime. When it breaks it is ended, and not used again."""
        if runtime in self._kept and self._kept[runtime][1].connection.ended:
            self._end(runtime, None)
        if runtime not in self._kept:
            running = started(board, runtime, threads)
            self._kept[runtime] = running, running.__enter__()
        try:
            yield self._kept[runtime][1]
        except BaseException as error:
            if isinstance(error, DeviceError) or not isinstance(error, Exception):
                self._end(runtime, error)
            raise

    def close(self) -> None:
        """End all workers."""
        for runtime in list(self._kept):
            self._end(runtime, None)

    def _end(self, runtime: str, error: BaseException | None) -> None:
        running, _ = self._kept.pop(runtime)
        running.__exit__(type(error) if error else None, error, None)


@contextmanager
def started(board: Board, runtime: str, threads: int, *, anew: bool = False) -> Iterator[Seat]:
    """
    A worker on the board. It works in a folder that goes with it.

    *anew*: as if it had never been started before, which takes three times as long.
    """
    environment = board.environment(runtime)
    if anew:
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "/nowhere"}
    with (
        TemporaryDirectory(prefix="edgebudget-") as scratch,
        CountsFile(Path(scratch) / "counts") as counts,
        Connection(
            [*tether(board.memory), *board.command(), str(WORKER)],
            what=f"the emulated {runtime} worker",
            env={**environment, ENVIRONMENT: str(counts.path)},
            folder=Path(scratch),
        ) as connection,
    ):
        client = _client(connection, runtime, threads)
        client.hello()
        yield Seat(runtime, connection, client, counts)


def _client(connection: Connection, runtime: str, threads: int) -> WorkerClient:
    return WorkerClient(connection, runtime=runtime, threads=threads, python="", limits=LIMITS)
