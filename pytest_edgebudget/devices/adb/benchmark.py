"""A phone on which LiteRT's ``benchmark_model`` times models: no Python is needed there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shlex import join

from pytest_edgebudget import graph
from pytest_edgebudget.devices.adb.phone import Phone
from pytest_edgebudget.devices.adb.report import Report, read
from pytest_edgebudget.devices.base import Calm, CannotTell, Fill, Identity, Watch, Worker
from pytest_edgebudget.devices.runtimes import runtime_of
from pytest_edgebudget.facts import (
    DeviceMemory,
    FileFacts,
    InstructionFacts,
    MemoryFacts,
    PlacementFacts,
    PlanFacts,
    StartupFacts,
    Timings,
)
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence

PROCESSES = 5
RUNS = 50  # inferences of a process, at least
LIMIT = 600.0  # seconds of a process
TOLD = (Timings, StartupFacts, MemoryFacts)
WITHOUT_A_RUN = (FileFacts, graph.Graph, PlanFacts, PlacementFacts)
PROPERTIES = "getprop ro.soc.model; getprop ro.board.platform; getprop ro.product.model"


@dataclass(slots=True, eq=False)
class BenchmarkDevice:
    """The device of *choice*: a *phone*, and the tool, a file of this machine."""

    choice: DeviceChoice
    phone: Phone
    tool: Path
    _reports: dict[str, tuple[Report, ...]] = field(default_factory=dict)

    @property
    def formats(self) -> tuple[str, ...]:
        """The tool runs .tflite models."""
        return ("tflite",)

    def evidence(self, facts: type) -> Evidence:
        """Measured: it is the device."""
        del facts
        return Evidence.MEASURED

    def refusal(self, facts: type) -> str:
        """What the tool does not print."""
        if facts in TOLD or facts in WITHOUT_A_RUN:
            return ""
        return "benchmark_model tells times and memory alone: a Python on the phone tells more"

    def source(self, facts: type) -> Callable[[Artifact, Fill], object] | None:
        """The tool's own report, for what it tells."""
        return self._told(facts) if facts in TOLD else None

    def repeats(self, facts: type) -> bool:
        """Nothing does."""
        del facts
        return False

    def runtime_for(self, fmt: str) -> str:
        """The first runtime that runs the format."""
        return runtime_of(fmt, self.choice.runtimes, self.choice.profile.name)

    def identity(self, fmt: str) -> Identity:
        """The tool by its content: it prints no version."""
        digest = hashlib.sha256(self.tool.read_bytes()).hexdigest()[:12]
        names = self.phone.run(PROPERTIES, "asking what it is").split("\n")
        return Identity(
            runtime=self.runtime_for(fmt),
            version=f"benchmark_model {digest}",
            cpu=", ".join(dict.fromkeys(name.strip() for name in names if name.strip())),
        )

    def worker(self, fmt: str) -> AbstractContextManager[Worker]:
        """There is none."""
        del fmt
        raise CannotTell("benchmark_model holds no worker: a Python on the phone does")

    def instructions(self, model: Path, fill: Fill) -> InstructionFacts:
        """They are not counted."""
        del model, fill
        raise CannotTell("benchmark_model counts no instructions")

    @contextmanager
    def quiet(self) -> Iterator[Watch]:
        """Have the phone alone."""
        with self.phone.lease():
            yield Calm()

    def close(self) -> None:
        """Nothing is kept open."""

    def command(self, model: str, tool: str) -> str:
        """The command line of one process, with paths on the phone."""
        words = [tool, f"--graph={model}", f"--num_threads={self.choice.threads}"]
        words += [f"--num_runs={RUNS}", "--min_secs=1", "--max_secs=60", "--warmup_runs=1"]
        if self.choice.delegate == "gpu":
            words.append("--use_gpu=true")
        elif self.choice.delegate:
            words.append(f"--external_delegate_path={self.choice.delegate}")
        return join(words)

    def _told(self, facts: type) -> Callable[[Artifact, Fill], object]:
        """Facts of that class, from the reports of one round of processes."""

        def gather(artifact: Artifact, fill: Fill) -> object:
            del fill
            reports = self._round(artifact)
            if facts is Timings:
                return _timings(reports)
            if facts is StartupFacts:
                return StartupFacts(tuple(each.start + each.first for each in reports))
            return _memory(reports)

        return gather

    def _round(self, artifact: Artifact) -> tuple[Report, ...]:
        if artifact.sha256 not in self._reports:
            with self.quiet():
                tool = self.phone.put(self.tool, runs=True)
                command = self.command(self.phone.put(artifact.path), tool)
                doing = f"timing {artifact.path.name}"
                said = [self.phone.run_watched(command, doing, LIMIT) for _ in range(PROCESSES)]
            self._reports[artifact.sha256] = tuple(read(each) for each in said)
        return self._reports[artifact.sha256]


def _timings(reports: tuple[Report, ...]) -> Timings:
    note = f"each the mean of {min(each.runs for each in reports)} or more runs of benchmark_model"
    hidden = "the phone's heat and load are not told"
    return Timings(tuple((each.mean,) for each in reports), notes=(note, hidden))


def _memory(reports: tuple[Report, ...]) -> DeviceMemory:
    """At most what the tool's process took: its own and the runtime's pages are in it."""
    peaks = [each.memory for each in reports if each.memory is not None]
    if not peaks:
        raise CannotTell("benchmark_model told no memory")
    return DeviceMemory(
        value=max(peaks),
        low=0.0,
        high=max(peaks),
        evidence=Evidence.MEASURED,
        note="at most: benchmark_model's own memory and the runtime's are in it",
    )
