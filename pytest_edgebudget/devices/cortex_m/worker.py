"""A model on an emulated Cortex-M as a worker: load compiles it, run emulates the core."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from pytest_edgebudget import graph
from pytest_edgebudget.devices import base
from pytest_edgebudget.devices.base import CannotTell, Loaded, Samples, Worker
from pytest_edgebudget.devices.cortex_m import emulate
from pytest_edgebudget.devices.cortex_m.build import Builder, Built
from pytest_edgebudget.devices.cortex_m.tools import Keeper
from pytest_edgebudget.errors import DeviceError, MissingExtra, ModelError
from pytest_edgebudget.types import Evidence

if TYPE_CHECKING:
    from pytest_edgebudget.worker.runtimes.base import Port

LIMIT = 600.0  # seconds of a run of the emulator
TURN = 60.0  # seconds that a run shall take: the next one has so many samples
MOST = 256  # samples of a run


class CoreWorker:
    """See `devices.base.Worker`; *keeper* runs what it needs."""

    def __init__(self, builder: Builder, keeper: Keeper) -> None:
        self._builder = builder
        self._keeper = keeper
        self._built: Built | None = None
        self._inputs: list[Port] = []
        self._outputs: list[Port] = []
        self._last = b""

    def load(self, model: Path) -> Loaded:
        """Compile *model*; inputs are zeros."""
        from pytest_edgebudget.devices.cortex_m.convert import ports

        start = monotonic()
        found = graph.read(model)
        sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
        self._built = self._builder.build(found, sha256, self._keeper)
        self._inputs, self._outputs = ports(found, self._built.program)
        self._last = bytes(sum(slot.size for slot in self._built.program.inputs))
        inputs = tuple(base.Port(port.name, port.tensor) for port in self._inputs)
        return Loaded(inputs, tuple(port.name for port in self._outputs), monotonic() - start)

    def run(self, samples: Samples, state: str, outputs: Path) -> None:
        """Run samples on the core; models that keep a *state* are not compiled."""
        import numpy as np

        from pytest_edgebudget.devices.cortex_m.convert import arrays_of, inputs_of

        del state
        given = inputs_of(samples, self._inputs)
        self._last = given[0]
        np.savez(outputs, **arrays_of(self._answers(given), self._outputs))

    def _answers(self, given: Sequence[bytes]) -> list[bytes]:
        """Some samples at a time: the first alone, to see how long it takes."""
        built, answers, size = self._fitting, list[bytes](), 1
        while len(answers) < len(given):
            part = given[len(answers) : len(answers) + size]
            start = monotonic()
            answers += emulate.answers(built, part, self._keeper, LIMIT).outputs
            taken = (monotonic() - start) / len(part)
            room = emulate.room(built.core.board, len(part[0]))
            size = max(1, min(MOST, room, round(TURN / taken)))
        return answers

    def time(self, runs: int, warmup: int = 0) -> tuple[float, ...]:
        """An emulator has no cycles."""
        del runs, warmup
        raise CannotTell("QEMU counts instructions, not cycles")

    def memory(self, model: Path) -> tuple[int, int]:
        """There is no operating system that keeps books."""
        del model
        raise CannotTell("a program without an operating system has no books of its memory")

    def instructions(self) -> tuple[int, ...]:
        """Of each layer, with the inputs that were run last."""
        return emulate.instructions(self._fitting, self._last, self._keeper, LIMIT)

    def stack(self) -> int | None:
        """Bytes that an inference takes of it; None where it cannot be run."""
        if not self.built.runs:
            return None
        return emulate.answers(self.built, [self._last], self._keeper, LIMIT).stack

    @property
    def built(self) -> Built:
        """What was loaded."""
        if self._built is None:
            raise DeviceError("no model: load one first")
        return self._built

    @property
    def _fitting(self) -> Built:
        """The same; raises CannotTell where there is no room for it."""
        if not self.built.fits:
            raise CannotTell("the program is larger than the device's memory: see flash and ram")
        if not self.built.runs:
            machine = self.built.core.board.machine
            raise CannotTell(f"the program is larger than the emulated {machine}")
        return self.built


class AnyWorker:
    """
    Answers of the core where the model is compiled, else of TensorFlow Lite Micro.

    Which are the same to the bit for what is compiled; what is not would have
    no accuracy, and a float model nothing to be compared with. *micro* starts a
    worker of TensorFlow Lite Micro in *stack*, *evidence* is that of its answers.
    """

    def __init__(
        self,
        core: CoreWorker,
        micro: Callable[[], AbstractContextManager[Worker]],
        evidence: Evidence,
        stack: ExitStack,
    ) -> None:
        self._core = core
        self._micro = micro
        self._evidence = evidence
        self._stack = stack
        self._worker: Worker = core

    def load(self, model: Path) -> Loaded:
        """Compile *model*, or load it into the runtime."""
        try:
            self._worker = self._core
            return self._core.load(model)
        except (CannotTell, ModelError) as refused:
            try:
                self._worker = self._stack.enter_context(self._micro())
            except MissingExtra:
                raise refused from None
        return replace(self._worker.load(model), evidence=self._evidence)

    def run(self, samples: Samples, state: str, outputs: Path) -> None:
        """See `devices.base.Worker`."""
        self._worker.run(samples, state, outputs)

    def time(self, runs: int, warmup: int = 0) -> tuple[float, ...]:
        """No time of either is the device's."""
        return self._core.time(runs, warmup)

    def memory(self, model: Path) -> tuple[int, int]:
        """Nor is the memory."""
        return self._core.memory(model)
