"""An emulated board as a device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_edgebudget import locks
from pytest_edgebudget.devices.base import Calm, CannotTell, Fill, Identity, Watch, Worker
from pytest_edgebudget.devices.client import WorkerClient
from pytest_edgebudget.devices.emulated import bench, support
from pytest_edgebudget.devices.emulated.board import Board, open_board
from pytest_edgebudget.devices.emulated.cores import core_of
from pytest_edgebudget.devices.emulated.counter import Counts
from pytest_edgebudget.devices.emulated.parts import Parts
from pytest_edgebudget.devices.emulated.qemu import TRIED
from pytest_edgebudget.devices.host import HostDevice
from pytest_edgebudget.devices.runtimes import formats_of, runtime_of
from pytest_edgebudget.errors import MissingExtra
from pytest_edgebudget.facts import (
    DeviceMemory,
    InstructionFacts,
    MemoryFacts,
    StartupFacts,
    Timings,
)
from pytest_edgebudget.metrics import ram
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence

ATTEMPTS = 5  # of two inferences each
WEIGHINGS = 3  # fresh workers
COUNTER = "counter 1"
"""Goes into what is compared: another counter counts otherwise."""
ELSEWHERE = "with other paths up to 0.05 % more or less"
NO_TIME = "emulation has no time: QEMU runs the board's instructions, not its clock"


@dataclass(frozen=True, slots=True)
class EmulatedDevice:
    """Models run under QEMU, by the board's kernels; its memory is this machine's."""

    choice: DeviceChoice
    parts: Parts
    _bench: bench.Bench = field(default_factory=bench.Bench)

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats of the runtimes that can be had, or of the chosen one."""
        return formats_of(self._runtimes)

    @property
    def _runtimes(self) -> tuple[str, ...]:
        core = core_of(self.choice.profile)
        assert core is not None  # else the way refuses the profile
        there = support.runtimes(self.choice.profile, core)
        return (self.choice.runtime,) if self.choice.runtime else there

    def evidence(self, facts: type) -> Evidence:
        """The board's own instructions, but this machine's memory."""
        return Evidence.HOST if facts is MemoryFacts else Evidence.EMULATED

    def refusal(self, facts: type) -> str:
        """Times are QEMU's."""
        return NO_TIME if facts in (Timings, StartupFacts) else ""

    def source(self, facts: type) -> Callable[[Artifact, Fill], object] | None:
        """Memory inside the emulator is the emulator's: a model is weighed on this machine."""
        return self._weigh if facts is MemoryFacts else None

    def repeats(self, facts: type) -> bool:
        """All but the memory of this machine."""
        return facts is not MemoryFacts

    @contextmanager
    def quiet(self) -> Iterator[Watch]:
        """Nothing else of ours runs on this machine."""
        with locks.quiet():
            yield Calm()

    def close(self) -> None:
        """End the workers that are kept."""
        self._bench.close()

    def runtime_for(self, fmt: str) -> str:
        """The first runtime that runs the format."""
        return runtime_of(fmt, self._runtimes, self.choice.profile.name)

    def _board(self, runtime: str) -> Board:
        return open_board(self.choice.profile, self.parts, runtime)

    def identity(self, fmt: str) -> Identity:
        """The runtime that is installed for the board, its CPU, and the emulator."""
        runtime = self.runtime_for(fmt)
        board = self._board(runtime)
        emulator = f"{board.qemu.program} {board.qemu.line}"
        return Identity(
            runtime=runtime,
            version=board.version(runtime),
            cpu=board.core.name,
            conditions=(("emulator", emulator),),
        )

    @contextmanager
    def worker(self, fmt: str) -> Iterator[Worker]:
        """The worker of this board, started when it is first asked for."""
        with self._seat(fmt) as seat:
            yield seat.client

    def _seat(self, fmt: str) -> AbstractContextManager[bench.Seat]:
        runtime = self.runtime_for(fmt)
        return self._bench.seat(self._board(runtime), runtime, self.choice.threads)

    def instructions(self, model: Path, fill: Fill) -> InstructionFacts:
        """
        Count by the plugin, with one thread: with two, counts differ by 0.4 %.

        Raises CannotTell where there is no plugin.
        """
        fmt = model.suffix.removeprefix(".")
        runtime = self.runtime_for(fmt)
        board = self._board(runtime)
        if reason := self._uncounted(board):
            raise CannotTell(reason)
        with self._counting(board, runtime) as seat:
            client = seat.alone()
            client.load(model)
            fill(client)
            found, same = _settled(seat, client)
        threads = " with one thread" if self.choice.threads > 1 else ""
        emulator = f"{board.qemu.program} {board.qemu.line} -cpu {board.core.cpu}"
        notes = [found.words] if found.words else []
        notes += [] if same else ["the next inference takes a few others"]
        notes += [ELSEWHERE] if _remembers(board, runtime) else []
        tool = f"{emulator}, {COUNTER}{threads}"
        return InstructionFacts(found.total, tool, "; ".join(notes))

    def _counting(self, board: Board, runtime: str) -> AbstractContextManager[bench.Seat]:
        """
        The worker in which to count.

        LiteRT's counts on 64-bit ARM are the same to the instruction whatever was
        done in a worker before. ONNX Runtime allocates in each run, and where 32-bit
        ARM's malloc puts things decides how small copies are made: there the past
        changes up to 0.05 % of them, so that they get a new worker each time.
        """
        if _remembers(board, runtime):
            return bench.started(board, runtime, 1, anew=True)
        return self._bench.seat(board, runtime, self.choice.threads)

    def _uncounted(self, board: Board) -> str:
        if board.counter is not None:
            return ""
        if not board.qemu.counts:
            bring = support.command(self.choice.profile)
            return (
                f"the counter was not tried with QEMU {board.qemu.version} of this machine;"
                f" {bring} brings QEMU {' or '.join(TRIED)}"
            )
        lack = support.no_counter(self.choice.profile)
        return f"{lack.what}: {lack.command}"

    def _weigh(self, artifact: Artifact, fill: Fill) -> DeviceMemory:
        """What the model adds to a worker on this machine."""
        del fill
        runtime = self.runtime_for(artifact.format)
        here = HostDevice(replace(self.choice, run="host", runtime=runtime, python=None))
        try:
            found = []
            for _ in range(WEIGHINGS):
                with locks.busy(), here.worker(artifact.format) as worker:
                    found.append(worker.memory(artifact.path))
        except MissingExtra as error:
            raise CannotTell(
                f"a model is weighed on this machine, which has no {error.library}", error.hint
            ) from error
        facts = MemoryFacts(tuple(pair[0] for pair in found), tuple(pair[1] for pair in found))
        value = ram.read(facts, {})
        return DeviceMemory(
            value=value.value,
            low=value.value if value.low is None else value.low,
            high=value.value if value.high is None else value.high,
            evidence=Evidence.HOST,
            note=f"{value.note}; weighed on this machine, as in the emulator it is the emulator's",
        )


def _remembers(board: Board, runtime: str) -> bool:
    """Whether what was done in a worker before changes a count."""
    return board.core.arch == "armhf" or runtime == "onnxruntime"


def _settled(seat: bench.Seat, client: WorkerClient) -> tuple[Counts, bool]:
    """
    The count of an inference when the next one has the same, and whether there is one.

    The first inferences of a model plan, pack and fill what is kept for later
    ones. Where no two are alike, it is the smallest.
    """
    seen: list[Counts] = []
    for _ in range(ATTEMPTS):
        seen += seat.count(client, 2)
        if seen[-1] == seen[-2]:
            return seen[-1], True
    return min(seen, key=lambda it: it.total), False
