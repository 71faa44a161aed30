"""A model on an emulated Cortex-M as a worker: load compiles it, run emulates the core."""

from __future__ import annotations

import hashlib
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from pytest_edgebudget import graph
from pytest_edgebudget.devices import base
from pytest_edgebudget.devices.base import CannotTell, Loaded, Samples
from pytest_edgebudget.devices.cortex_m import emulate
from pytest_edgebudget.devices.cortex_m.build import Builder, Built
from pytest_edgebudget.devices.cortex_m.tools import Keeper
from pytest_edgebudget.errors import DeviceError

if TYPE_CHECKING:
    from pytest_edgebudget.worker.runtimes.base import Port

CHUNK = 64  # samples of a run of the emulator
LIMIT = 600.0  # seconds of a run


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
        given, built = inputs_of(samples, self._inputs), self.built
        self._last = given[0]
        size = min(CHUNK, emulate.room(built.core.board, len(given[0])))
        answers: list[bytes] = []
        for start in range(0, len(given), size):
            part = given[start : start + size]
            answers += emulate.answers(self._fitting, part, self._keeper, LIMIT).outputs
        np.savez(outputs, **arrays_of(answers, self._outputs))

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

    def stack(self) -> int:
        """Bytes that an inference takes of it."""
        return emulate.answers(self.built, [self._last], self._keeper, LIMIT).stack

    @property
    def built(self) -> Built:
        """What was loaded."""
        if self._built is None:
            raise DeviceError("no model: load one first")
        return self._built

    @property
    def _fitting(self) -> Built:
        """The same; raises CannotTell where the device has no room for it."""
        if not self.built.fits:
            raise CannotTell("the program is larger than the device's memory: see flash and ram")
        return self.built
