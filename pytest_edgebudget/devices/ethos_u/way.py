"""
An Arm Ethos-U without the chip: Vela compiles for it, and TensorFlow Lite Micro computes.

Nothing here executes what Vela writes. Vela tells memory, cycles and what falls
back on the CPU. It keeps the arithmetic of the integer operators, so that
answers are those of the model before it is compiled, in the micro runtime that
runs beside the NPU.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_edgebudget import graph
from pytest_edgebudget.devices.base import (
    Calm,
    CannotTell,
    Fill,
    Identity,
    Lack,
    Watch,
    Way,
    Worker,
)
from pytest_edgebudget.devices.ethos_u import tosa
from pytest_edgebudget.devices.ethos_u.compiler import Compiler
from pytest_edgebudget.devices.ethos_u.memory import arena, device_memory
from pytest_edgebudget.devices.ethos_u.npu import npu_facts
from pytest_edgebudget.devices.ethos_u.placement import vela_placement
from pytest_edgebudget.devices.ethos_u.report import Compiled
from pytest_edgebudget.devices.ethos_u.settings import DISTRIBUTION, OPTIMISE, refusal, settings_of
from pytest_edgebudget.devices.host import HostDevice
from pytest_edgebudget.devices.interpreters import installed
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.facts import (
    DeviceMemory,
    InstructionFacts,
    MemoryFacts,
    NpuFacts,
    PlacementFacts,
    PlanFacts,
    Predictions,
    StartupFacts,
    Timings,
    TwinAnswers,
)
from pytest_edgebudget.graph.memory_tflm_scratch import ETHOS_U
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence

CHIP = {
    Timings: "latency needs the chip: npu_time has the NPU's part, as Vela estimates it",
    StartupFacts: "a cold start needs the chip",
    InstructionFacts: "instructions of this machine are not those of an Ethos-U's CPU",
}


@dataclass(frozen=True, slots=True)
class VelaDevice:
    """An Ethos-U as its compiler sees it; *runner* computes the answers."""

    choice: DeviceChoice
    runner: HostDevice
    compiler: Compiler = field(default_factory=Compiler)
    _known: dict[tuple[str, str], Compiled] = field(default_factory=dict)

    @property
    def formats(self) -> tuple[str, ...]:
        """What Vela takes."""
        return ("tflite",)

    def evidence(self, facts: type) -> Evidence:
        """The NPU's arithmetic is emulated; the rest is Vela's estimate."""
        if facts in (Predictions, TwinAnswers):
            exact = self.runner.choice.runtime in (ARITHMETIC, tosa.RUNTIME)
            return Evidence.EMULATED if exact else Evidence.HOST
        return Evidence.EXACT if facts is PlacementFacts else Evidence.ESTIMATED

    def refusal(self, facts: type) -> str:
        """Times and instructions are the chip's."""
        return CHIP.get(facts, "")

    def source(self, facts: type) -> Callable[[Artifact, Fill], object] | None:
        """What Vela tells."""
        sources: dict[type, Callable[[Artifact, Fill], object]] = {
            graph.Graph: _graph,
            NpuFacts: self._npu,
            PlacementFacts: self._placement,
            MemoryFacts: self._memory,
            PlanFacts: self._plan,
        }
        return sources.get(facts)

    def repeats(self, facts: type) -> bool:
        """All of it: one version of Vela always writes the same file."""
        return facts not in CHIP

    def quiet(self) -> AbstractContextManager[Watch]:
        """Nothing is timed."""
        return nullcontext(Calm())

    def close(self) -> None:
        """End Vela's process."""
        self.compiler.close()

    def runtime_for(self, fmt: str) -> str:
        """The micro runtime, or the chosen one."""
        return self.runner.runtime_for(fmt)

    def identity(self, fmt: str) -> Identity:
        """Versions of the runtime and of Vela, and what Vela is told of the system."""
        return replace(
            self.runner.identity(fmt),
            cpu=platform.machine(),
            conditions=(("vela", _version()), *settings_of(self.choice.profile).key),
        )

    def worker(self, fmt: str) -> AbstractContextManager[Worker]:
        """A worker with the runtime that computes as the NPU does."""
        return self.runner.worker(fmt)

    def instructions(self, model: Path, fill: Fill) -> InstructionFacts:
        """They cannot be counted."""
        del model, fill
        raise CannotTell(CHIP[InstructionFacts])

    # --- what Vela tells --------------------------------------------------------

    def _compiled(self, artifact: Artifact) -> Compiled:
        settings = settings_of(self.choice.profile, _optimise(artifact))
        key = (artifact.sha256, settings.optimise)
        if key not in self._known:
            self._known[key] = self.compiler.compile(_uncompiled(artifact), settings)
        return self._known[key]

    def _npu(self, artifact: Artifact, fill: Fill) -> NpuFacts:
        del fill
        return npu_facts(self._compiled(artifact))

    def _placement(self, artifact: Artifact, fill: Fill) -> PlacementFacts:
        del fill
        found = self._compiled(artifact)
        return vela_placement(graph.read(artifact.runs_as), found)

    def _memory(self, artifact: Artifact, fill: Fill) -> DeviceMemory:
        del fill
        return device_memory(self._compiled(artifact), self.choice.profile)

    def _plan(self, artifact: Artifact, fill: Fill) -> PlanFacts:
        del fill
        return arena(self._compiled(artifact), self.choice.profile)


ARITHMETIC = "tflm"
"""The runtime that computes the NPU's operators as the NPU does, bit for bit."""


def _graph(artifact: Artifact, fill: Fill) -> graph.Graph:
    """What is computed; in a compiled file it cannot be read any more."""
    del fill
    return graph.read(artifact.runs_as)


def _optimise(artifact: Artifact) -> str:
    """As the recipe of the artifact says, where it was compiled by the pass ``vela``."""
    last = artifact.recipe.steps[-1]
    options = dict(last.options)
    if last.name != "vela":
        return OPTIMISE[0]
    return str(last.args[0] if last.args else options.get("optimise", OPTIMISE[0]))


def _uncompiled(artifact: Artifact) -> Path:
    """
    The model before it was compiled.

    Raises CannotTell for one that somebody else has compiled.
    """
    path = artifact.runs_as
    if any(op.custom and op.kind == ETHOS_U for op in graph.read(path).ops):
        raise CannotTell(
            "the model is compiled by Vela already, and tells no more of itself",
            "name the .tflite that it was made from",
        )
    return path


def _version() -> str:
    return installed(DISTRIBUTION, sys.executable) or "not installed"


def open_vela(choice: DeviceChoice) -> VelaDevice:
    """
    The device ``run = "vela"``.

    Raises EdgeBudgetError for a profile that is not one of an Ethos-U, and for a
    runtime that there is not.
    """
    if reason := refusal(choice.profile):
        raise EdgeBudgetError(f'run = "vela": {reason}', "name a profile such as ethos-u55-128")
    if choice.runtime is not None and choice.runtime not in RUNTIMES:
        raise EdgeBudgetError(
            f"there is no runtime {choice.runtime!r}", f"known: {', '.join(RUNTIMES)}"
        )
    return VelaDevice(choice, HostDevice(_computing(choice)))


def _computing(choice: DeviceChoice) -> DeviceChoice:
    """The runtime that computes, and the Python that has it."""
    if choice.runtime != tosa.RUNTIME:
        return replace(choice, runtime=choice.runtime or ARITHMETIC)
    if not tosa.is_installed(choice.python):
        raise EdgeBudgetError(
            "the TOSA reference model is not installed",
            f"edgebudget devices install {choice.profile.name}",
        )
    return replace(choice, python=tosa.python_of(choice.python))


def _lacks(choice: DeviceChoice) -> Sequence[Lack]:
    """Vela, and the runtimes that compute; the reference model only where it is chosen."""
    found = [
        Lack(distribution, f"pip install 'pytest-edgebudget[{extra}]'")
        for distribution, extra in ((DISTRIBUTION, "ethos-u"), ("tflite-micro", "mcu"))
        if not installed(distribution, sys.executable)
    ]
    if choice.runtime == tosa.RUNTIME and not tosa.is_installed(choice.python):
        install = f"edgebudget devices install {choice.profile.name}"
        found.append(Lack("the TOSA reference model", install))
    return found


WAY = Way(
    name="vela",
    help="An Arm Ethos-U without the chip: by its compiler Vela, with the micro runtime's answers.",
    open=open_vela,
    refusal=refusal,
    lacks=_lacks,
    install=lambda profile, say: tosa.install_tosa(say),
    uninstall=lambda profile, say: tosa.uninstall_tosa(),
)
