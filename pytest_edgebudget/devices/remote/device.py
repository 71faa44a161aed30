"""A device at the other end of a connection: a worker there, files there, a lease."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_edgebudget.devices.accelerated import choices
from pytest_edgebudget.devices.base import (
    CannotTell,
    Circumstances,
    Fill,
    Identity,
    Watch,
    Worker,
)
from pytest_edgebudget.devices.client import Limits, WorkerClient
from pytest_edgebudget.devices.interpreters import ISOLATED
from pytest_edgebudget.devices.remote.board import Board
from pytest_edgebudget.devices.remote.circumstances import State, compare
from pytest_edgebudget.devices.remote.energy import Point, joules
from pytest_edgebudget.devices.remote.files import BoardFiles
from pytest_edgebudget.devices.remote.lease import Lease
from pytest_edgebudget.devices.remote.needs import missing_there
from pytest_edgebudget.errors import Interrupted
from pytest_edgebudget.facts import EnergyFacts, InstructionFacts, PlacementFacts, Predictions
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence, Key

LIMITS = Limits(start=180, load=300, run=600, time=900)
"""Of a small board whose card is slow."""
START = 60.0  # seconds until a program starts there


@dataclass(slots=True, eq=False)
class RemoteDevice:
    """The device of *choice* behind *board*."""

    choice: DeviceChoice
    board: Board
    limits: Limits = LIMITS
    files: BoardFiles = field(init=False)
    lease: Lease = field(init=False)
    _hello: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.files = BoardFiles(self.board)
        self.lease = Lease(self.board)

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats of the runtimes that run there, on the delegate or provider that was named."""
        return choices.formats(self.choice)

    def evidence(self, facts: type) -> Evidence:
        """Measured: it is the device."""
        del facts
        return Evidence.MEASURED

    def refusal(self, facts: type) -> str:
        """Instructions are counted by a program that boards do not have."""
        if facts is InstructionFacts:
            return "instructions are counted on emulated boards, and on this machine"
        return choices.refusal(self.choice, facts)

    def source(self, facts: type) -> Callable[[Artifact, Fill], object] | None:
        """Energy by the board's own sensor, and what runs beside the CPU."""
        if facts is PlacementFacts and choices.accelerated(self.choice):
            return choices.placement(self)
        return self._energy if facts is EnergyFacts else None

    def repeats(self, facts: type) -> bool:
        """Answers do, with one runtime on one CPU."""
        return facts is Predictions

    def runtime_for(self, fmt: str) -> str:
        """The first runtime that runs the format."""
        return choices.runtime_for(self.choice, fmt)

    def identity(self, fmt: str) -> Identity:
        """
        Runtime and CPU, as the helper finds them.

        Raises MissingExtra where the runtime is not installed there, and
        DeviceError where the board cannot be reached.
        """
        runtime = self.runtime_for(fmt)
        hello = self.hello()
        distribution = choices.distribution(self.choice, fmt)
        version = hello["versions"].get(distribution, "")
        if not version:
            raise missing_there(runtime, self.board, hello, distribution)
        conditions = (*self._conditions(hello), *choices.conditions(self.choice, fmt))
        return Identity(runtime=runtime, version=version, cpu=hello["cpu"], conditions=conditions)

    def hello(self) -> Mapping[str, Any]:
        """What the helper says about its board, asked once."""
        if self._hello is None:
            names = choices.builds(self.choice)
            self._hello = self.board.ask("hello", "looking around", distributions=names)
        return self._hello

    def _conditions(self, hello: Mapping[str, Any]) -> Key:
        pairs = []
        if hello["affinity"] and len(hello["affinity"]) < hello["cores"]:
            pairs.append(("affinity", ",".join(map(str, hello["affinity"]))))
        if hello["model"]:
            pairs.append(("board", hello["model"]))
        return tuple(pairs)

    @contextmanager
    def worker(self, fmt: str) -> Iterator[Worker]:
        """A fresh worker there; others time nothing meanwhile."""
        self.identity(fmt)
        with self.lease.held(alone=False):
            program = self.files.worker()
            runtime = self.runtime_for(fmt)
            what = f"the {runtime} worker on {self.board.name}"
            with self.board.program(what, *ISOLATED, program) as connection:
                connection.wait(START)
                client = WorkerClient(
                    connection,
                    runtime=runtime,
                    threads=self.choice.threads,
                    python=f"{self.board.python} on {self.board.name}",
                    limits=self.limits,
                    files=self.files,
                    asked=choices.asked(self.choice, fmt),
                )
                pid = client.hello()["pid"]
                self.board.ask("watch", "starting a worker", pid=pid)
                yield client

    @contextmanager
    def quiet(self) -> Iterator[Watch]:
        """Have the board alone, and look at it before and after."""
        with self.lease.held(alone=True):
            yield Look(self)

    def close(self) -> None:
        """End the helper and the connection."""
        self._hello = None
        self.board.close()

    def instructions(self, model: Path, fill: Fill) -> InstructionFacts:
        """They are not counted there."""
        del model, fill
        raise CannotTell(self.refusal(InstructionFacts))

    def _energy(self, artifact: Artifact, fill: Fill) -> EnergyFacts:
        with self.quiet() as watch, self.worker(artifact.format) as worker:
            with self._meter() as meter:
                facts = joules(artifact, worker, fill, meter)
            seen = watch.seen()
        return replace(facts, notes=seen.notes, widen=seen.widen)

    @contextmanager
    def _meter(self) -> Iterator[BoardMeter]:
        command = list(self.choice.energy_command)
        answer = self.board.ask("meter", "opening the energy meter", command=command)
        try:
            yield BoardMeter(self.board, str(answer["domain"]))
        finally:
            if self.lease.intact:
                self.board.ask("unmeter", "closing the energy meter")


@dataclass(slots=True, eq=False)
class Look:
    """A watch over the board of *device*, from when it was made."""

    device: RemoteDevice
    _before: State = field(init=False)

    def __post_init__(self) -> None:
        self._before = self.device.board.ask("state", "looking at the board")

    def seen(self) -> Circumstances:
        """
        What became of the board meanwhile.

        Raises Interrupted when the lease was lost, so that somebody else may
        have timed at the same time.
        """
        if not self.device.lease.intact:
            raise Interrupted(f"the lease on {self.device.board.name} was lost in mid-timing")
        after = self.device.board.ask("state", "looking at the board")
        return compare(self._before, after)


@dataclass(frozen=True, slots=True)
class BoardMeter:
    """The helper's meter."""

    board: Board
    domain: str

    def read(self) -> Point:
        """Now, by the board's clock."""
        answer = self.board.ask("joules", "reading the energy meter")
        return Point(answer["joules"], answer["seconds"])
