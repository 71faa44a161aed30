"""What a device is: a profile, one runtime on it, and a way to run there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.facts import InstructionFacts
from pytest_edgebudget.types import DeviceChoice, Evidence


class CannotTell(EdgeBudgetError):
    """The device works, but facts of this kind cannot be had from it; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What decides the numbers that a runtime computes: its *version*, and the *cpu*."""

    runtime: str
    version: str
    cpu: str


@dataclass(frozen=True, slots=True)
class Port:
    """An input of a loaded model: the signature's *name*, and the graph's (*tensor*)."""

    name: str
    tensor: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A loaded model: its *inputs*, its *outputs*' names, the *seconds* it took."""

    inputs: tuple[Port, ...]
    outputs: tuple[str, ...]
    seconds: float


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


class Device(Protocol):
    """A way to run models on a device."""

    @property
    def choice(self) -> DeviceChoice:
        """What the budget file chose."""

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats that run there, preferred first: "tflite", "onnx"."""

    @property
    def evidence(self) -> Evidence:
        """Of what is run or weighed there."""

    def refusal(self, facts: type) -> str:
        """Why such facts would say nothing about the device; empty where they do."""

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
