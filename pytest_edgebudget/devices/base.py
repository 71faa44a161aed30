"""What a device is: a profile, one runtime on it, and a way to run there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.facts import InstructionFacts
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence, Key, Profile


class CannotTell(EdgeBudgetError):
    """The device works, but facts of this kind cannot be had from it; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """
    What decides the numbers that a runtime computes: its *version*, and the *cpu*.

    *conditions*: what else a reading's comparison key must hold there.
    """

    runtime: str
    version: str
    cpu: str
    conditions: Key = ()


@dataclass(frozen=True, slots=True)
class Port:
    """An input of a loaded model: the signature's *name*, and the graph's (*tensor*)."""

    name: str
    tensor: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """
    A loaded model: its *inputs*, its *outputs*' names, the *seconds* it took.

    *evidence*: of its answers, where it is not that of the device's answers.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[str, ...]
    seconds: float
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Which samples to run: the *split* of the ``.npz`` at *path*, the *first* so many."""

    path: Path
    split: str
    first: int | None = None


class Worker(Protocol):
    """
    A program on the device that holds one runtime.

    Every method raises DeviceError when the worker crashes, hangs or runs out
    of memory, and ModelError when the runtime refuses the model or the data
    do not fit it.
    """

    def load(self, model: Path) -> Loaded:
        """Load and allocate; inputs are zeros."""

    def run(self, samples: Samples, state: str, outputs: Path) -> None:
        """
        Run samples one by one; output *i* becomes array *i* of the ``.npz`` *outputs*.

        *state* is "reset" between samples, or "carried" from one to the next.
        """

    def time(self, runs: int, warmup: int = 0) -> tuple[float, ...]:
        """Seconds of each invoke alone, with the inputs that are in place."""

    def memory(self, model: Path) -> tuple[int, int]:
        """
        Bytes that the model adds: peak anonymous, and touched pages of its file.

        Raises CannotTell where the system keeps no such books.
        """


Fill: TypeAlias = Callable[[Worker], None]
"""Puts the first sample into the inputs of a worker's model."""


class Files(Protocol):
    """Where a worker finds files: on this disk, or on the device's own."""

    def put(self, path: Path) -> str:
        """The path over there of a file from here; external data beside a model goes along."""

    def out(self, path: Path) -> str:
        """Where the worker writes what shall become *path* here."""

    def fetch(self, path: Path) -> None:
        """Bring what the worker wrote for *path*."""


class LocalFiles:
    """The worker sees this machine's own files."""

    def put(self, path: Path) -> str:
        """The path from the root: the worker is in a folder of its own."""
        return str(path.absolute())

    def out(self, path: Path) -> str:
        """Likewise."""
        return str(path.absolute())

    def fetch(self, path: Path) -> None:
        """It is there already."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """
    How a device was while something was timed on it.

    *notes*: what a reader must know; *widen*: by which part of a value its
    interval grows on either side, 0.0 for a device that was cool and idle.
    """

    notes: tuple[str, ...] = ()
    widen: float = 0.0


class Watch(Protocol):
    """What `Device.quiet` hands out."""

    def seen(self) -> Circumstances:
        """What became known; to be asked at the end of the timing, still inside."""


class Calm:
    """A watch over a machine of which nothing is told."""

    def seen(self) -> Circumstances:
        """Nothing."""
        return Circumstances()


@dataclass(frozen=True, slots=True)
class Lack:
    """
    Something that is missing here and now: *what*, and the *command* that brings it.

    *formats* are those of the models that need it; empty: every model does.
    """

    what: str
    command: str
    formats: tuple[str, ...] = ()


class Device(Protocol):
    """A way to run models on a device."""

    @property
    def choice(self) -> DeviceChoice:
        """What the budget file chose."""

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats that run there, preferred first: "tflite", "onnx"."""

    def evidence(self, facts: type) -> Evidence:
        """Of facts of that class that are gathered there."""

    def refusal(self, facts: type) -> str:
        """Why such facts would say nothing about the device; empty where they do."""

    def source(self, facts: type) -> Callable[[Artifact, Fill], object] | None:
        """
        The device's own way to gather facts of that class; None for the ordinary one.

        What it returns may be called with an artifact, and with what puts
        inputs in place. It holds `locks` by itself where it works on this
        machine, and raises CannotTell, DeviceError or ModelError.
        """

    def repeats(self, facts: type) -> bool:
        """Whether such facts are the same at every run, so that readings are kept."""

    def quiet(self) -> AbstractContextManager[Watch]:
        """Hold the device alone, to time something."""

    def close(self) -> None:
        """End what was kept open between metrics; the device may be used again."""

    def runtime_for(self, fmt: str) -> str:
        """
        The name of the runtime for models of that format.

        Raises ModelError where none of the device's runtimes runs it.
        """

    def identity(self, fmt: str) -> Identity:
        """Runtime, version and CPU, found out without starting a worker."""

    def worker(self, fmt: str) -> AbstractContextManager[Worker]:
        """A fresh worker with the runtime for that format."""

    def instructions(self, model: Path, fill: Callable[[Worker], None]) -> InstructionFacts:
        """
        Count the instructions of an inference; *fill* puts inputs in place.

        Raises CannotTell where they cannot be counted.
        """


Install: TypeAlias = Callable[[Profile, Callable[[str], None]], str]
"""Brings (or removes) what a profile needs; raises EdgeBudgetError where it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """
    A way to run models.

    Attributes:
        name: as in ``run = "emulate"``; the scheme of an address.
        help: what it is, in a sentence.
        open: the device that a budget file chose; starts nothing. Raises
            EdgeBudgetError for a runtime or a Python that is not there.
        refusal: why models of a profile cannot run so; empty where they can.
        lacks: what is missing on this machine for it; starts no worker.
        check: raises EdgeBudgetError for a wrong address; for ways that have one.
        install: brings what is missing, for a profile; is given a function
            that is told what takes long, and returns a sentence for the user.
        uninstall: removes what *install* brought, likewise.
    """

    name: str
    help: str
    open: Callable[[DeviceChoice], Device]
    refusal: Callable[[Profile], str]
    lacks: Callable[[DeviceChoice], Sequence[Lack]]
    check: Callable[[str], object] | None = None
    install: Install | None = None
    uninstall: Install | None = None
