"""A device on which no model can be run yet: only what the file itself tells is read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget import graph
from pytest_edgebudget.devices.base import Calm, CannotTell, Fill, Identity, Watch, Way, Worker
from pytest_edgebudget.devices.runtimes import RUNTIMES, formats_of, runtime_of
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.facts import FileFacts, InstructionFacts, PlacementFacts, PlanFacts
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence

IN_THE_FILE = (FileFacts, graph.Graph, PlanFacts, PlacementFacts)
"""Facts that need no run."""


@dataclass(frozen=True, slots=True)
class StaticDevice:
    """Nothing runs here, so that facts of a run are refused with the reason."""

    choice: DeviceChoice

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats of the profile's runtimes, or of the chosen one."""
        return formats_of(self.choice.runtimes)

    def evidence(self, facts: type) -> Evidence:
        """Of what could be read without a run."""
        del facts
        return Evidence.EXACT

    def refusal(self, facts: type) -> str:
        """Everything but the file, and the graph in it, needs a run."""
        if facts is PlanFacts and self._closed:
            return f"{self._closed}: how it plans memory is not published"
        return "" if facts in IN_THE_FILE else self._reason

    @property
    def _closed(self) -> str:
        """Why none of the runtimes can be had; empty where one can."""
        reasons = [RUNTIMES[name].closed for name in self.choice.runtimes]
        return reasons[0] if all(reasons) else ""

    @property
    def _reason(self) -> str:
        name = self.choice.profile.name
        if self._closed:
            shown = "; edgebudget devices shows what is published" * bool(
                self.choice.profile.published
            )
            return f"{self._closed}{shown}"
        if self.choice.profile.default_run == "static":
            return f"there is no way yet to run models on {name}"
        return f'run = "static": no model runs on {name}'

    def source(self, facts: type) -> Callable[[Artifact, Fill], object] | None:
        """The ordinary way for all."""
        del facts
        return None

    def repeats(self, facts: type) -> bool:
        """Nothing is run."""
        del facts
        return False

    def quiet(self) -> AbstractContextManager[Watch]:
        """Nothing is timed."""
        return nullcontext(Calm())

    def close(self) -> None:
        """Nothing is open."""

    def runtime_for(self, fmt: str) -> str:
        """The runtime for models of that format."""
        return runtime_of(fmt, self.choice.runtimes, self.choice.profile.name)

    def identity(self, fmt: str) -> Identity:
        """The runtime by its name: which version a device has is not known here."""
        return Identity(
            runtime=self.runtime_for(fmt),
            version="not run",
            cpu=self.choice.profile.cpu or "unknown",
        )

    def worker(self, fmt: str) -> AbstractContextManager[Worker]:
        """There is none."""
        del fmt
        raise CannotTell(self._reason)

    def instructions(self, model: Path, fill: Callable[[Worker], None]) -> InstructionFacts:
        """They cannot be counted."""
        del model, fill
        raise CannotTell(self._reason)


def open_static(choice: DeviceChoice) -> StaticDevice:
    """
    The device ``run = "static"``.

    Raises EdgeBudgetError for a runtime that is not there.
    """
    if choice.runtime is not None and choice.runtime not in RUNTIMES:
        raise EdgeBudgetError(
            f"there is no runtime {choice.runtime!r}", f"known: {', '.join(RUNTIMES)}"
        )
    return StaticDevice(choice)


WAY = Way(
    name="static",
    help="Not at all: only what the file itself tells is read.",
    open=open_static,
    refusal=lambda profile: "",
    lacks=lambda choice: (),
)
