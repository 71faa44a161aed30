"""What this machine has beside the CPU: a GPU, an accelerator behind a delegate."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget import locks
from pytest_edgebudget.devices.accelerated import choices, environments
from pytest_edgebudget.devices.base import CannotTell, Fill, Identity, Lack, Worker
from pytest_edgebudget.devices.host import WORKER, HostDevice
from pytest_edgebudget.devices.interpreters import ISOLATED, cpu, installed
from pytest_edgebudget.errors import DeviceError
from pytest_edgebudget.facts import InstructionFacts, PlacementFacts
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence, Key
from pytest_edgebudget.worker.acceleration import Acceleration


@dataclass(frozen=True, slots=True)
class AcceleratedDevice(HostDevice):
    """
    Models run here on what the budget file names beside the CPU.

    Formats for which it names nothing do not run: they would run on the CPU.
    """

    @property
    def formats(self) -> tuple[str, ...]:
        """Those of the runtimes to which a delegate or a provider was given."""
        return choices.formats(self.choice)

    def runtime_for(self, fmt: str) -> str:
        """The first runtime that runs the format, on the accelerator."""
        return choices.runtime_for(self.choice, fmt)

    def evidence(self, facts: type) -> Evidence:
        """As of this machine: a GPU that is a program is refused."""
        return HostDevice.evidence(self, facts)

    def refusal(self, facts: type) -> str:
        """What the books of the CPU's process do not hold, and what is not this machine's."""
        return choices.refusal(self.choice, facts) or HostDevice.refusal(self, facts)

    def source(self, facts: type) -> Callable[[Artifact, Fill], object] | None:
        """Where operators run is looked at."""
        return self._placement if facts is PlacementFacts else HostDevice.source(self, facts)

    def repeats(self, facts: type) -> bool:
        """Nothing that a driver may change between two runs."""
        del facts
        return False

    def identity(self, fmt: str) -> Identity:
        """Runtime and its version, and what accelerates it."""
        distribution = choices.distribution(self.choice, fmt)
        found = installed(distribution, self.interpreter(fmt))
        if not found:
            name = choices.given(self.choice, self.runtime_for(fmt))
            raise DeviceError(
                f"{name} needs {distribution}, which is not installed",
                environments.commands(distribution, self.choice.python),
            )
        return Identity(
            runtime=self.runtime_for(fmt),
            version=found,
            cpu=cpu(),
            conditions=self._conditions(fmt),
        )

    def _conditions(self, fmt: str) -> Key:
        return choices.conditions(self.choice, fmt)

    def _asked(self, fmt: str) -> Acceleration:
        return choices.asked(self.choice, fmt)

    def interpreter(self, fmt: str) -> str:
        """The Python that runs models of that format."""
        return environments.python_of(choices.distribution(self.choice, fmt), self.choice.python)

    def _environment(self) -> dict[str, str] | None:
        """Environment variables of a worker; None: ours."""
        return None

    @contextmanager
    def worker(self, fmt: str) -> Iterator[Worker]:
        """A fresh worker, in the Python that has the provider."""
        self.identity(fmt)  # says what is missing, and what brings it
        command = [self.interpreter(fmt), *ISOLATED, str(WORKER)]
        with self._start(fmt, command, self._environment(), 1) as client:
            yield client

    def instructions(self, model: Path, fill: Fill) -> InstructionFacts:
        """They are not counted."""
        del model, fill
        raise CannotTell(self.refusal(InstructionFacts))

    def _placement(self, artifact: Artifact, fill: Fill) -> PlacementFacts:
        with locks.busy():
            return choices.placement(self)(artifact, fill)


def lacks(choice: DeviceChoice) -> list[Lack]:
    """Builds that are not installed, and a delegate's library that is not there."""
    found = []
    if choice.delegate and os.sep in choice.delegate and not Path(choice.delegate).is_file():
        found.append(Lack(f"there is no library {choice.delegate}", ""))
    device = AcceleratedDevice(choice)
    for fmt in device.formats:
        distribution = choices.distribution(choice, fmt)
        if not installed(distribution, device.interpreter(fmt)):
            command = environments.commands(distribution, choice.python)
            found.append(Lack(f"{distribution} is not installed", command))
    return found
