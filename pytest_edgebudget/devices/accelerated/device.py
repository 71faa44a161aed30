"""What this machine has beside the CPU: a GPU, an accelerator behind a delegate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget import graph, locks
from pytest_edgebudget.devices.accelerated import environments
from pytest_edgebudget.devices.accelerated.placing import Account, placement_facts
from pytest_edgebudget.devices.base import CannotTell, Fill, Identity, Worker
from pytest_edgebudget.devices.client import WorkerClient
from pytest_edgebudget.devices.host import WORKER, HostDevice
from pytest_edgebudget.devices.interpreters import ISOLATED, cpu, installed
from pytest_edgebudget.devices.runtimes import RUNTIMES, formats_of
from pytest_edgebudget.errors import DeviceError, ModelError
from pytest_edgebudget.facts import InstructionFacts, MemoryFacts, PlacementFacts
from pytest_edgebudget.types import Artifact, Evidence, Key
from pytest_edgebudget.worker.acceleration import GPU, PROVIDERS, Acceleration, Provider

ONNX = "onnxruntime"


@dataclass(frozen=True, slots=True)
class AcceleratedDevice(HostDevice):
    """
    Models run here on what the budget file names beside the CPU.

    Formats for which it names nothing do not run: they would run on the CPU.
    """

    @property
    def formats(self) -> tuple[str, ...]:
        """Those of the runtimes to which a delegate or a provider was given."""
        return formats_of(name for name in self.choice.runtimes if self._given(name))

    def _given(self, runtime: str) -> str | None:
        return self.choice.provider if runtime == ONNX else self.choice.delegate

    def runtime_for(self, fmt: str) -> str:
        """The first runtime that runs the format, on the accelerator."""
        runtime = HostDevice.runtime_for(self, fmt)
        if self._given(runtime):
            return runtime
        key = "provider" if runtime == ONNX else "delegate"
        raise ModelError(
            f".{fmt} models would run on the CPU: [device] names no {key}",
            f"write {key} = ..., or give them a budget file of their own",
        )

    def evidence(self, facts: type) -> Evidence:
        """As of this machine: a GPU that is a program is refused."""
        return HostDevice.evidence(self, facts)

    def refusal(self, facts: type) -> str:
        """What the books of the CPU's process do not hold."""
        if facts is InstructionFacts:
            return "instructions are counted of the CPU, and that is not where the model runs"
        if facts is MemoryFacts and not self._in_process:
            name = self.choice.delegate or self.choice.provider
            return f"the memory that {name} takes is in no process's books"
        return HostDevice.refusal(self, facts)

    @property
    def _in_process(self) -> bool:
        """Whether memory is that of the process, as far as is known."""
        provider = PROVIDERS.get(self.choice.provider or "")
        return provider is not None and provider.processor

    def source(self, facts: type) -> Callable[[Artifact, Fill], object] | None:
        """Where operators run is looked at."""
        return self._placement if facts is PlacementFacts else HostDevice.source(self, facts)

    def repeats(self, facts: type) -> bool:
        """Nothing that a driver may change between two runs."""
        del facts
        return False

    def identity(self, fmt: str) -> Identity:
        """Runtime and its version, and what accelerates it."""
        runtime = self.runtime_for(fmt)
        distribution, python = self._distribution(fmt), self._interpreter(fmt)
        found = installed(distribution, python)
        if not found:
            raise DeviceError(
                f"{self._given(runtime)} needs {distribution}, which is not installed",
                environments.commands(distribution, self.choice.python),
            )
        return Identity(
            runtime=runtime, version=found, cpu=cpu(), conditions=(*self._conditions(fmt),)
        )

    def _conditions(self, fmt: str) -> Key:
        asked = self._asked(fmt)
        pairs = {"delegate": _delegate(asked.delegate), "provider": asked.provider}
        pairs |= {f"options.{name}": value for name, value in asked.options.items()}
        return tuple((name, value) for name, value in pairs.items() if value)

    def _asked(self, fmt: str) -> Acceleration:
        onnx = self.runtime_for(fmt) == ONNX
        return Acceleration(
            delegate="" if onnx else self.choice.delegate or "",
            provider=self.choice.provider or "" if onnx else "",
            options=dict(self.choice.options),
        )

    def _provider(self, fmt: str) -> Provider | None:
        asked = self._asked(fmt)
        return PROVIDERS.get(asked.provider)

    def _distribution(self, fmt: str) -> str:
        provider = self._provider(fmt)
        own = provider.distribution if provider else ""
        return own or RUNTIMES[self.runtime_for(fmt)].distribution

    def _interpreter(self, fmt: str) -> str:
        return environments.python_of(self._distribution(fmt), self.choice.python)

    def _environment(self) -> dict[str, str] | None:
        """Environment variables of a worker; None: ours."""
        return None

    @contextmanager
    def worker(self, fmt: str) -> Iterator[Worker]:
        """A fresh worker, in the Python that has the provider."""
        command = [self._interpreter(fmt), *ISOLATED, str(WORKER)]
        with self._start(fmt, command, self._environment(), 1) as client:
            yield client

    def instructions(self, model: Path, fill: Fill) -> InstructionFacts:
        """They are not counted."""
        del model, fill
        raise CannotTell(self.refusal(InstructionFacts))

    def _placement(self, artifact: Artifact, fill: Fill) -> PlacementFacts:
        """Where the model runs, as its runtime tells after it was loaded, or has run."""
        del fill
        with locks.busy(), self.worker(artifact.format) as worker:
            assert isinstance(worker, WorkerClient)
            worker.load(artifact.path)
            told = worker.placement()
        identity = self.identity(artifact.format)
        tool = f"{identity.runtime} {identity.version}, {_HOW[told['how']]}"
        account = Account(told=told, evidence=self.evidence(PlacementFacts), tool=tool)
        return placement_facts(account, graph.read(artifact.path))


_HOW = {
    "counts": "what its GPU accelerator said",
    "graph": "its graph after the delegate",
    "nodes": "a profile of a run",
}


def _delegate(name: str) -> str:
    """A delegate in a key: a library by what is in it, where it is a file."""
    path = Path(name)
    if not name or name == GPU or not path.is_file():
        return name
    return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
