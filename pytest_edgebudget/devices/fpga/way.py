"""An FPGA by hls4ml: the C++ that becomes hardware, run here, bit for bit."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_edgebudget import locks
from pytest_edgebudget.devices.base import (
    Calm,
    CannotTell,
    Fill,
    Identity,
    Lack,
    Loaded,
    LocalFiles,
    Watch,
    Way,
    Worker,
)
from pytest_edgebudget.devices.client import Limits, WorkerClient
from pytest_edgebudget.devices.connection import Connection
from pytest_edgebudget.devices.fpga.firmware import COMPILER, MISSING_COMPILER
from pytest_edgebudget.devices.fpga.library import compiled, version
from pytest_edgebudget.devices.fpga.note import read_note
from pytest_edgebudget.devices.fpga.synthesis import EXTRA, missing, synthesized
from pytest_edgebudget.devices.interpreters import ISOLATED, installed
from pytest_edgebudget.devices.runtimes import RUNTIMES, formats_of, runtime_of
from pytest_edgebudget.facts import (
    EnergyFacts,
    InstructionFacts,
    MemoryFacts,
    PlacementFacts,
    PlanFacts,
    Predictions,
    StartupFacts,
    SynthesisFacts,
    Timings,
)
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence, Profile

RUNTIME = "hls4ml"
WORKER = Path(__file__).parents[2] / "worker"
PHYSICAL = (Timings, StartupFacts, MemoryFacts, InstructionFacts, EnergyFacts)
IN_THE_GRAPH = (Graph, PlanFacts, PlacementFacts)
NO_TIME = "the simulation tells what the FPGA answers, not how fast or at which cost"


class Libraries(LocalFiles):
    """For a fixed-point model the worker finds the library that was compiled of it."""

    def put(self, path: Path) -> str:
        """The library of a model with a precision; any other file as it is."""
        fixed = path.suffix == ".keras" and read_note(path) is not None
        return str((compiled(path) if fixed else path).absolute())


class FpgaClient(WorkerClient):
    """A worker whose float models are no FPGA's: they say so."""

    def load(self, model: Path) -> Loaded:
        """Load a model, compiled when need be; one without a precision runs in Keras."""
        loaded = super().load(model)
        return loaded if read_note(model) else replace(loaded, evidence=Evidence.HOST)


@dataclass(frozen=True, slots=True)
class FpgaDevice:
    """The bit-accurate C simulation of hls4ml."""

    choice: DeviceChoice
    limits: Limits = field(default_factory=Limits)

    @property
    def formats(self) -> tuple[str, ...]:
        """Keras models."""
        return formats_of(self.choice.runtimes)

    def evidence(self, facts: type) -> Evidence:
        """The FPGA's own arithmetic; its cells are counted (and its clock estimated)."""
        return Evidence.EXACT if facts is SynthesisFacts else Evidence.EMULATED

    def refusal(self, facts: type) -> str:
        """Answers, the file, and the logic where open tools make some for the chip."""
        name = self.choice.profile.name
        if facts is SynthesisFacts:
            return self._no_logic
        if facts in IN_THE_GRAPH:
            return f"{name}: of a .keras file no layers are read; give its .tflite a budget, too"
        return f"{name}: {NO_TIME}" if facts in PHYSICAL else ""

    @property
    def _no_logic(self) -> str:
        """Why nothing is placed and routed; empty where something is."""
        name, chip = self.choice.profile.name, self.choice.profile.chip
        if not chip:
            return f"no open tool places and routes for {name}: Vitis tells what logic takes there"
        lacking = missing()
        command = f"pip install 'pytest-edgebudget[{EXTRA}]'"
        return f"needs {lacking}, which is not installed: {command}" if lacking else ""

    def source(self, facts: type) -> Callable[[Artifact, Fill], object] | None:
        """Logic by synthesis; the rest in the ordinary way."""
        return self._logic if facts is SynthesisFacts else None

    def _logic(self, artifact: Artifact, fill: Fill) -> SynthesisFacts:
        del fill
        with locks.busy():
            return synthesized(artifact.path, self.choice.profile.chip)

    def repeats(self, facts: type) -> bool:
        """
        Whole numbers are added up: no answer depends on the machine.

        What logic is made depends on the tools' versions: it is kept by those
        (see `synthesis`).
        """
        return facts is Predictions

    def quiet(self) -> AbstractContextManager[Watch]:
        """Nothing is timed."""
        return nullcontext(Calm())

    def close(self) -> None:
        """Nothing is kept open."""

    def runtime_for(self, fmt: str) -> str:
        """hls4ml, for Keras models."""
        return runtime_of(fmt, self.choice.runtimes, self.choice.profile.name)

    def identity(self, fmt: str) -> Identity:
        """The version of hls4ml; whose CPU simulates makes no difference."""
        return Identity(runtime=self.runtime_for(fmt), version=version(RUNTIME), cpu="simulated")

    @contextmanager
    def worker(self, fmt: str) -> Iterator[Worker]:
        """A fresh worker."""
        runtime = self.runtime_for(fmt)
        command = [sys.executable, *ISOLATED, str(WORKER)]
        with (
            tempfile.TemporaryDirectory(prefix="edgebudget-") as scratch,
            Connection(command, what=f"the {runtime} worker", folder=Path(scratch)) as connection,
        ):
            client = FpgaClient(
                connection,
                runtime=runtime,
                threads=1,
                python="",
                limits=self.limits,
                files=Libraries(),
            )
            client.hello()
            yield client

    def instructions(self, model: Path, fill: Fill) -> InstructionFacts:
        """There are none."""
        del model, fill
        raise CannotTell("an FPGA executes no instructions")


def _refusal(profile: Profile) -> str:
    """A device that is no FPGA."""
    if RUNTIME in profile.runtimes:
        return ""
    return f"models of {profile.name} run in {' and '.join(profile.runtimes)}, not by {RUNTIME}"


def _lacks(choice: DeviceChoice) -> Sequence[Lack]:
    """hls4ml, Keras and the compiler."""
    del choice
    found = [
        Lack(f"{name} is not installed", "pip install 'pytest-edgebudget[fpga]'")
        for name in (RUNTIMES[RUNTIME].distribution, "keras")
        if not installed(name, sys.executable)
    ]
    if shutil.which(COMPILER) is None:
        found.append(Lack(f"{COMPILER} is not installed", MISSING_COMPILER))
    return found


WAY = Way(
    name="hls4ml",
    help="As an FPGA computes: hls4ml's C++ for the model, compiled and run on this machine.",
    open=FpgaDevice,
    refusal=_refusal,
    lacks=_lacks,
)
