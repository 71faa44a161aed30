"""The machine that runs this: a worker in a subprocess, with our Python or another one."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pytest_edgebudget import locks
from pytest_edgebudget.devices import callgrind
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
from pytest_edgebudget.devices.client import Limits, WorkerClient, missing_runtime
from pytest_edgebudget.devices.connection import Connection
from pytest_edgebudget.devices.interpreters import ISOLATED, cpu, find_python, installed
from pytest_edgebudget.devices.runtimes import (
    RUNTIMES,
    RuntimeInfo,
    by_default,
    formats_of,
    runtime_of,
)
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.facts import (
    EnergyFacts,
    InstructionFacts,
    Predictions,
    StartupFacts,
    Timings,
)
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence, Profile
from pytest_edgebudget.worker.acceleration import NOTHING, Acceleration

WORKER = Path(__file__).parent.parent / "worker"
RACING = WORKER / "racing.py"
SLOWDOWN = 50  # of a program under valgrind
PHYSICAL = {
    Timings: "latency",
    StartupFacts: "cold start",
    InstructionFacts: "an instruction count",
    EnergyFacts: "energy",
}


@dataclass(frozen=True, slots=True)
class HostDevice:
    """Models run here: as the device itself, or as a stand-in for a board."""

    choice: DeviceChoice
    limits: Limits = field(default_factory=Limits)

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats of the profile's runtimes, preferred first, or of the chosen one."""
        return formats_of(self.choice.runtimes)

    @property
    def _native(self) -> bool:
        return self.choice.profile.name == "host"

    def evidence(self, facts: type) -> Evidence:
        """Measured for the profile "host", else a stand-in."""
        del facts
        return Evidence.MEASURED if self._native else Evidence.HOST

    def refusal(self, facts: type) -> str:
        """Time and instructions of this machine say nothing about a board's."""
        if facts not in PHYSICAL:
            return ""
        if self._native:
            return _no_sensor() if facts is EnergyFacts and not self.choice.energy_command else ""
        name = self.choice.profile.name
        return f"needs the device: {PHYSICAL[facts]} of this machine is not that of {name}"

    def source(self, facts: type) -> Callable[[Artifact, Fill], object] | None:
        """Energy by this machine's own sensor; the ordinary way for all others."""
        return self._energy if facts is EnergyFacts else None

    def _energy(self, artifact: Artifact, fill: Fill) -> EnergyFacts:
        """Joules by RAPL, a sensor, or the user's program."""
        from pytest_edgebudget.devices.remote.energy import joules, meter_here

        command = self.choice.energy_command
        with self.quiet(), self.worker(artifact.format) as worker, meter_here(command) as meter:
            return joules(artifact, worker, fill, meter)

    def repeats(self, facts: type) -> bool:
        """Answers do, with one runtime on one CPU."""
        return facts is Predictions

    @contextmanager
    def quiet(self) -> Iterator[Watch]:
        """Nothing else of ours runs on this machine."""
        with locks.quiet():
            yield Calm()

    def close(self) -> None:
        """Nothing is kept open."""

    def runtime_for(self, fmt: str) -> str:
        """The first runtime that runs the format."""
        return runtime_of(fmt, self.choice.runtimes, self.choice.profile.name)

    def identity(self, fmt: str) -> Identity:
        """The runtime's version from its distribution's metadata."""
        runtime = self.runtime_for(fmt)
        found = installed(RUNTIMES[runtime].distribution, self._python)
        if not found:
            raise missing_runtime(runtime, self.choice.python or "")
        return Identity(runtime=runtime, version=found, cpu=cpu())

    @property
    def _python(self) -> str:
        python = find_python(self.choice.python) if self.choice.python else sys.executable
        return os.path.abspath(python)  # noqa: PTH100 links stay: a venv is known by its place

    def _asked(self, fmt: str) -> Acceleration:
        """What shall run models beside the CPU: nothing."""
        del fmt
        return NOTHING

    @contextmanager
    def worker(self, fmt: str) -> Iterator[Worker]:
        """A fresh worker."""
        with self._start(fmt, [self._python, *ISOLATED, str(WORKER)], None, 1) as client:
            yield client

    @contextmanager
    def racing(self, fmt: str) -> Iterator[WorkerClient]:
        """A fresh worker that times models in turns."""
        with self._start(fmt, [self._python, *ISOLATED, str(RACING)], None, 1) as client:
            yield client

    @contextmanager
    def _start(
        self, fmt: str, command: list[str], env: dict[str, str] | None, slowdown: float
    ) -> Iterator[WorkerClient]:
        runtime = self.runtime_for(fmt)
        with (
            tempfile.TemporaryDirectory(prefix="edgebudget-") as scratch,
            Connection(
                command, what=f"the {runtime} worker", env=env, folder=Path(scratch)
            ) as connection,
        ):
            client = WorkerClient(
                connection,
                runtime=runtime,
                threads=self.choice.threads,
                python=self.choice.python or "",
                limits=self.limits.times(slowdown),
                asked=self._asked(fmt),
            )
            client.hello()
            yield client

    def instructions(self, model: Path, fill: Fill) -> InstructionFacts:
        """Count by callgrind, in a worker of its own."""
        fmt = model.suffix.removeprefix(".")
        invoke = RUNTIMES[self.runtime_for(fmt)].invoke
        if not invoke:
            raise CannotTell(
                f"{self.runtime_for(fmt)} names no function whose instructions are an inference"
            )
        with callgrind.session(invoke) as session:
            command = [*session.command, self._python, "-B", str(WORKER)]
            with self._start(fmt, command, session.environment(os.environ), SLOWDOWN) as client:
                client.load(model)
                fill(client)
                client.time(callgrind.RUNS)
            return session.result()


@functools.cache
def _no_sensor() -> str:
    """Why energy cannot be read here; empty where a sensor is."""
    from pytest_edgebudget.devices.remote.agent import sensors
    from pytest_edgebudget.devices.remote.agent.refusal import Refusal

    try:
        sensors.find()
    except Refusal as refusal:
        return refusal.message
    return ""


def open_host(choice: DeviceChoice) -> HostDevice:
    """
    The device ``run = "host"``, with what is here to accelerate it where that is asked for.

    Raises EdgeBudgetError for a runtime or a Python that is not there.
    """
    if choice.runtime is not None and choice.runtime not in RUNTIMES:
        raise EdgeBudgetError(
            f"there is no runtime {choice.runtime!r}", f"known: {', '.join(RUNTIMES)}"
        )
    if choice.python is not None:
        find_python(choice.python)
    if choice.delegate or choice.provider:
        from pytest_edgebudget.devices.accelerated.device import AcceleratedDevice

        return AcceleratedDevice(choice)
    return HostDevice(choice)


def _refusal(profile: Profile) -> str:
    """A runtime that this machine cannot have, at all."""
    if any(not RUNTIMES[name].micro for name in profile.runtimes):
        return ""
    return f"{' and '.join(profile.runtimes)} runs without an operating system"


def _lacks(choice: DeviceChoice) -> Sequence[Lack]:
    """The runtime of each format that is not installed, or what would accelerate it."""
    if choice.delegate or choice.provider:
        from pytest_edgebudget.devices.accelerated.device import lacks

        return lacks(choice)
    python = find_python(choice.python) if choice.python else sys.executable
    names = by_default([name for name in choice.runtimes if not RUNTIMES[name].micro])
    gone = [name for name in names if not installed(RUNTIMES[name].distribution, python)]
    return [_lack(RUNTIMES[name], choice.python) for name in gone]


def _lack(info: RuntimeInfo, python: str | None) -> Lack:
    command = (
        f"{python} -m pip install {info.distribution} numpy"
        if python
        else f"pip install 'pytest-edgebudget[{info.extra}]'"
    )
    return Lack(f"{info.distribution} is not installed", command, info.formats)


WAY = Way(
    name="host",
    help="On this machine: as the device itself, or as a stand-in for a board.",
    open=open_host,
    refusal=_refusal,
    lacks=_lacks,
)
