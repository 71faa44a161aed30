"""The device ``run = "cortex-m"``: a program of the model alone, on an emulated core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget import graph, locks
from pytest_edgebudget.devices.base import Calm, CannotTell, Fill, Identity, Watch, Worker
from pytest_edgebudget.devices.cortex_m.boards import CORES
from pytest_edgebudget.devices.cortex_m.build import Builder, Memory
from pytest_edgebudget.devices.cortex_m.tools import COMPILER, Keeper, version
from pytest_edgebudget.devices.cortex_m.worker import AnyWorker, CoreWorker
from pytest_edgebudget.devices.runtimes import formats_of, runtime_of
from pytest_edgebudget.devices.tflm.way import open_micro
from pytest_edgebudget.facts import (
    FileFacts,
    InstructionFacts,
    LinkFacts,
    MemoryFacts,
    PlacementFacts,
    PlanFacts,
    Predictions,
    TwinAnswers,
)
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence, Profile

IN_THE_FILE = (FileFacts, graph.Graph, PlanFacts, PlacementFacts)
OF_A_RUN = (InstructionFacts, LinkFacts, MemoryFacts, Predictions)


@dataclass(frozen=True, slots=True)
class CoreDevice:
    """*builder* keeps what was compiled until the device is closed."""

    choice: DeviceChoice
    builder: Builder

    @property
    def formats(self) -> tuple[str, ...]:
        """That of TensorFlow Lite Micro, whose arithmetic it is."""
        return formats_of(("tflm",))

    def evidence(self, facts: type) -> Evidence:
        """The device's own instructions, or what the file tells."""
        return Evidence.EXACT if facts in IN_THE_FILE else Evidence.EMULATED

    def refusal(self, facts: type) -> str:
        """There is no time in an emulator."""
        if facts in IN_THE_FILE or facts in OF_A_RUN:
            return ""
        if facts is TwinAnswers:
            return "it answers as TensorFlow Lite Micro to the bit: there is no other to compare"
        name = self.choice.profile.name
        return f"needs the device: QEMU counts instructions, and not how long {name} takes"

    def source(self, facts: type) -> Callable[[Artifact, Fill], object] | None:
        """What the linker tells, and RAM with the stack."""
        ways: dict[type, Callable[[Artifact, Fill], object]] = {
            LinkFacts: lambda artifact, fill: self._link(artifact),
            MemoryFacts: lambda artifact, fill: self._memory(artifact),
        }
        return ways.get(facts)

    def repeats(self, facts: type) -> bool:
        """All of it, to the bit."""
        return facts in OF_A_RUN

    @contextmanager
    def quiet(self) -> Iterator[Watch]:
        """Nothing is timed."""
        yield Calm()

    def close(self) -> None:
        """Remove what was compiled."""
        self.builder.close()

    def runtime_for(self, fmt: str) -> str:
        """TensorFlow Lite Micro, for what it runs."""
        return runtime_of(fmt, ("tflm",), self.choice.profile.name)

    def identity(self, fmt: str) -> Identity:
        """The compiler decides what is run; raises DeviceError where it is not installed."""
        return Identity(
            runtime=self.runtime_for(fmt),
            version=f"as generated C, {COMPILER} {version(COMPILER)}",
            cpu=self.choice.profile.cpu,
        )

    @contextmanager
    def worker(self, fmt: str) -> Iterator[Worker]:
        """A fresh one; what is not compiled is answered by TensorFlow Lite Micro itself."""
        self.runtime_for(fmt)
        micro = open_micro(self.choice)
        with ExitStack() as stack, self._worker() as core:
            evidence = micro.evidence(Predictions)
            yield AnyWorker(core, lambda: micro.worker(fmt), evidence, stack)

    def instructions(self, model: Path, fill: Fill) -> InstructionFacts:
        """Count those of each layer."""
        from pytest_edgebudget.devices.cortex_m.facts import instruction_facts

        with self._worker() as worker:
            worker.load(model)
            fill(worker)
            return instruction_facts(worker.built, worker.instructions())

    def _link(self, artifact: Artifact) -> LinkFacts:
        from pytest_edgebudget.devices.cortex_m.facts import link_facts

        with locks.busy(), self._worker() as worker:
            worker.load(artifact.runs_as)
            return link_facts(worker.built, self.choice.profile)

    def _memory(self, artifact: Artifact) -> object:
        from pytest_edgebudget.devices.cortex_m.facts import memory_facts

        with locks.busy(), self._worker() as worker:
            worker.load(artifact.runs_as)
            return memory_facts(worker.built, worker.stack(), self.choice.profile)

    @contextmanager
    def _worker(self) -> Iterator[CoreWorker]:
        version(COMPILER)
        with Keeper() as keeper:
            yield CoreWorker(self.builder, keeper)


def open_core(choice: DeviceChoice) -> CoreDevice:
    """
    The device; starts nothing.

    Raises CannotTell for a profile that this way is not for.
    """
    if reason := refusal(choice.profile):
        raise CannotTell(f"run = {choice.run!r}: {reason}")
    profile = choice.profile
    memory = Memory(profile.largest("flash"), profile.largest("ram"))
    return CoreDevice(choice, Builder(CORES[profile.cpu], memory))


def refusal(profile: Profile) -> str:
    """Why models of *profile* cannot run this way; empty where they can."""
    if profile.cpu not in CORES:
        known = ", ".join(name.removeprefix("Cortex-") for name in CORES)
        return f"its core is {profile.cpu or 'not told'}, none of Cortex-{known}"
    if "tflm" not in profile.runtimes:
        return f"it runs {' and '.join(profile.runtimes)}, not TensorFlow Lite Micro"
    if profile.accelerator:
        return f"{profile.accelerator} computes there, and not the core alone"
    return ""
