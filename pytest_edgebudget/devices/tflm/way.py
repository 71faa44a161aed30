"""
A microcontroller whose runtime is TensorFlow Lite Micro: the same runtime, run here.

Its kernels on this machine are the reference kernels. CMSIS-NN says of itself
that it is bit-exact with them for int8 and int16 (its README, "Supported
Framework"), so that what such a model answers here is what it answers there. Of
ESP-NN that is not said (its option ``NN_SKIP_NUDGE`` rounds otherwise), and this
machine stands in for it. Floats may differ in their last bits on any device.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_edgebudget import graph, locks
from pytest_edgebudget.devices.base import CannotTell, Fill, Identity, Lack, Watch, Way, Worker
from pytest_edgebudget.devices.client import WorkerClient
from pytest_edgebudget.devices.host import HostDevice, open_host
from pytest_edgebudget.devices.interpreters import find_python, installed
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.facts import (
    FileFacts,
    InstructionFacts,
    MemoryFacts,
    PlacementFacts,
    PlanFacts,
    Predictions,
    TwinAnswers,
)
from pytest_edgebudget.graph.arena import ArenaRun
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence, Profile

RUNTIME = "tflm"
EXACT_KERNELS = frozenset(("", "reference", "cmsis-nn"))
"""Kernels that compute what the reference kernels compute, by their own word."""

TOLD = (FileFacts, graph.Graph, PlanFacts, PlacementFacts, Predictions, MemoryFacts)
"""Facts that do not depend on how fast the device is."""


@dataclass(frozen=True, slots=True)
class MicroDevice:
    """Models run in TensorFlow Lite Micro; *host* starts its workers."""

    host: HostDevice
    _runs: dict[str, ArenaRun] = field(default_factory=dict, compare=False, repr=False)

    @property
    def choice(self) -> DeviceChoice:
        """What the budget file chose."""
        return self.host.choice

    @property
    def _name(self) -> str:
        return self.choice.profile.name

    @property
    def formats(self) -> tuple[str, ...]:
        """Those of TensorFlow Lite Micro."""
        return self.host.formats

    def evidence(self, facts: type) -> Evidence:
        """Answers are the device's own arithmetic, memory is an estimate for 32 bits."""
        if facts in (PlanFacts, MemoryFacts):
            return Evidence.ESTIMATED
        exact = self.choice.profile.kernels in EXACT_KERNELS
        return Evidence.EMULATED if exact else Evidence.HOST

    def refusal(self, facts: type) -> str:
        """Time, energy and instructions need the board."""
        if facts in TOLD:
            return ""
        if facts is TwinAnswers:
            return "it answers on this machine: there is no other answer to compare with"
        return f"needs the device: speed and energy of this machine are not those of {self._name}"

    def source(self, facts: type) -> Callable[[Artifact, Fill], object] | None:
        """Memory, by the runtime's own allocator."""
        ways: dict[type, Callable[[Artifact, Fill], object]] = {
            PlanFacts: lambda artifact, fill: self._plan(artifact),
            MemoryFacts: lambda artifact, fill: self._memory(artifact),
        }
        return ways.get(facts)

    def repeats(self, facts: type) -> bool:
        """All of it does, with one release of the runtime."""
        return facts in (Predictions, MemoryFacts)

    def quiet(self) -> AbstractContextManager[Watch]:
        """Nothing is timed."""
        return self.host.quiet()

    def close(self) -> None:
        """Nothing is kept open."""

    def runtime_for(self, fmt: str) -> str:
        """TensorFlow Lite Micro, for what it runs."""
        return self.host.runtime_for(fmt)

    def identity(self, fmt: str) -> Identity:
        """The release, and the kind of this machine's CPU, by which kernels are chosen."""
        return replace(self.host.identity(fmt), cpu=platform.machine())

    @contextmanager
    def worker(self, fmt: str) -> Iterator[Worker]:
        """A fresh worker."""
        with self.host.worker(fmt) as worker:
            yield worker

    def instructions(self, model: Path, fill: Callable[[Worker], None]) -> InstructionFacts:
        """Those of this machine are not the device's."""
        del model, fill
        raise CannotTell(self.refusal(InstructionFacts))

    def _plan(self, artifact: Artifact) -> PlanFacts:
        from pytest_edgebudget.devices.tflm.arena import plan_facts

        return plan_facts(artifact, self.choice.profile, self._run(artifact))

    def _memory(self, artifact: Artifact) -> object:
        from pytest_edgebudget.devices.tflm.arena import memory_facts

        return memory_facts(self._plan(artifact), self.choice.profile)

    def _run(self, artifact: Artifact) -> ArenaRun:
        """What the runtime took, found once a model."""
        if artifact.sha256 not in self._runs:
            with locks.busy(), self.host.worker(artifact.format) as worker:
                assert isinstance(worker, WorkerClient)
                self._runs[artifact.sha256] = worker.arena(artifact.path)
        return self._runs[artifact.sha256]


def open_micro(choice: DeviceChoice) -> MicroDevice:
    """
    The device ``run = "tflm"``; starts nothing.

    Raises EdgeBudgetError for a runtime or a Python that is not there.
    """
    chosen = choice if choice.runtime else replace(choice, runtime=RUNTIME)
    return MicroDevice(open_host(chosen))


def _refusal(profile: Profile) -> str:
    if RUNTIME not in profile.runtimes:
        return f"it runs {' and '.join(profile.runtimes)}, not TensorFlow Lite Micro"
    if profile.accelerator:
        return f"{profile.accelerator} computes there, and TensorFlow Lite Micro here has none"
    return ""


def _lacks(choice: DeviceChoice) -> Sequence[Lack]:
    python = find_python(choice.python) if choice.python else sys.executable
    info = RUNTIMES[RUNTIME]
    if installed(info.distribution, python):
        return ()
    command = (
        f"{choice.python} -m pip install {info.distribution} numpy"
        if choice.python
        else f"pip install 'pytest-edgebudget[{info.extra}]'"
    )
    return (Lack(f"{info.distribution} is not installed", command),)


WAY = Way(
    name="tflm",
    help="In TensorFlow Lite Micro on this machine: the arithmetic and the arena of the device.",
    open=open_micro,
    refusal=_refusal,
    lacks=_lacks,
)
