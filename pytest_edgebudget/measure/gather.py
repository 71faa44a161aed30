"""Facts about a subject, each kind gathered once and only when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from pytest_edgebudget import graph, locks
from pytest_edgebudget.devices.base import CannotTell, Device, Fill
from pytest_edgebudget.devices.kernels import kernels_of
from pytest_edgebudget.devices.ways import way_named
from pytest_edgebudget.errors import Interrupted
from pytest_edgebudget.facts import (
    BatteryFacts,
    EnergyFacts,
    EstimatedCost,
    FileFacts,
    InstructionFacts,
    LinkFacts,
    MemoryFacts,
    NpuFacts,
    PlacementFacts,
    PlanFacts,
    Predictions,
    StartupFacts,
    SynthesisFacts,
    Timings,
    TwinAnswers,
)
from pytest_edgebudget.measure.estimates import ESTIMATED, estimated
from pytest_edgebudget.measure.predictions import predictions
from pytest_edgebudget.measure.subject import Subject
from pytest_edgebudget.measure.timing import put_inputs, startup, timings
from pytest_edgebudget.measure.twins import twin_answers, why_no_twin
from pytest_edgebudget.measure.wanted import Wanted
from pytest_edgebudget.types import Artifact

WEIGHINGS = 3  # fresh workers
PLANNERS = {"tflite-runtime": "litert"}
"""Runtimes that plan as another one does."""


@dataclass(slots=True)
class Gathered:
    """The facts about *subject* that the metrics *wanted* need."""

    subject: Subject
    wanted: Sequence[Wanted]
    _found: dict[type, object] = field(default_factory=dict)

    def facts(self, kind: type) -> object:
        """
        The facts of that class.

        Raises CannotTell where they cannot be had, and why.
        """
        if kind not in self._found:
            self._found[kind] = self._gather(kind)
        found = self._found[kind]
        if isinstance(found, CannotTell):
            raise found
        return found

    def _battery(self) -> object:
        """The energy of an inference, measured or estimated, and what the profile knows."""
        try:
            energy = self.facts(EnergyFacts)
        except CannotTell as error:
            return error
        assert isinstance(energy, EnergyFacts | EstimatedCost)
        profile = self.subject.device.choice.profile
        return BatteryFacts(energy, profile.idle_power, profile.battery)

    def _gather(self, kind: type) -> object:
        if kind is BatteryFacts:
            return self._battery()
        device = self.subject.device
        if reason := elsewhere(device, kind) or device.refusal(kind) or can_gather(device, kind):
            return self._instead(kind, reason)
        source = device.source(kind)
        try:
            if source is not None:
                return _repeated(lambda: _from(source, self.subject))
            return _repeated(lambda: _GATHER[kind](self))
        except CannotTell as error:
            return error

    def _instead(self, kind: type, reason: str) -> object:
        """An estimate where there can be one, else why the device does not tell."""
        if kind not in ESTIMATED or self.subject.artifact.format == "keras":
            return CannotTell(reason)
        try:
            found = self.facts(graph.Graph)
            assert isinstance(found, graph.Graph)
            return estimated(self.subject, found, kind, reason)
        except CannotTell as error:
            return error

    @property
    def compared(self) -> bool:
        """Whether a metric compares with the source model."""
        return any(each.metric.compares for each in self.wanted)

    @property
    def paired(self) -> bool:
        """Whether a drop is told sample by sample."""
        return any(each.paired for each in self.wanted)

    @property
    def runs(self) -> int:
        """How many timed runs the metrics need at least."""
        timed = (each for each in self.wanted if each.metric.needs is Timings)
        return max((int(each.options.get("runs", 1)) for each in timed), default=1)


def _repeated(gather: Callable[[], object]) -> object:
    """All of a kind of facts; all of it anew when the way to the device breaks meanwhile."""
    for attempt in count(1):
        try:
            return gather()
        except Interrupted as error:
            if attempt == error.attempts:
                error.message += f", the {attempt}. time"
                raise
    raise AssertionError


_TOLD_BY: Mapping[type, str] = {LinkFacts: "cortex-m", NpuFacts: "vela", SynthesisFacts: "hls4ml"}
"""Facts that one way to run gathers, and no other."""


def can_gather(device: Device, kind: type) -> str:
    """Why nothing gathers such facts on that device; empty when something does."""
    if kind is TwinAnswers:
        return why_no_twin(device)
    if kind in _GATHER or device.source(kind) is not None:
        return ""
    return f"nothing on {device.choice.profile.name}, run {device.choice.way}, tells this"


def elsewhere(device: Device, kind: type) -> str:
    """
    Which other way tells what this one is not asked for; empty for facts that any may tell.

    Asked before the device: its flash is no matter of how fast this machine is.
    """
    if kind not in _TOLD_BY or device.source(kind) is not None:
        return ""
    profile, other = device.choice.profile, _TOLD_BY[kind]
    if way_named(other).refusal(profile):
        return f"nothing tells this of {profile.name}"
    return f'only run = "{other}" tells this of {profile.name}'


def _from(source: Callable[[Artifact, Fill], object], subject: Subject) -> object:
    """Facts that the device gathers in a way of its own."""
    return source(subject.artifact, lambda worker: put_inputs(worker, subject))


def _file(gathered: Gathered) -> FileFacts:
    artifact = gathered.subject.artifact
    return FileFacts(artifact.path, artifact.size, artifact.external)


def _graph(gathered: Gathered) -> graph.Graph:
    return graph.read(gathered.subject.artifact.path)


def _plan(gathered: Gathered) -> PlanFacts:
    from pytest_edgebudget.graph.memory import PLANNED, plan

    found = gathered.facts(graph.Graph)
    assert isinstance(found, graph.Graph)
    device = gathered.subject.device
    runtime, profile = device.runtime_for(found.format), device.choice.profile
    planner = PLANNERS.get(runtime, runtime)
    if planner not in PLANNED:
        raise CannotTell(f"how {runtime} plans memory is not known")
    planned = plan(found, planner, kernels_of(profile))
    return PlanFacts(planned, runtime, profile.kernels)


def _placement(gathered: Gathered) -> PlacementFacts:
    from pytest_edgebudget.devices.placement_facts import published_placement

    found = gathered.facts(graph.Graph)
    assert isinstance(found, graph.Graph)
    return published_placement(found, gathered.subject.device.choice.profile)


def _predictions(gathered: Gathered) -> Predictions:
    return predictions(gathered.subject, compared=gathered.compared, paired=gathered.paired)


def _twin_answers(gathered: Gathered) -> TwinAnswers:
    there = gathered.facts(Predictions)
    assert isinstance(there, Predictions)
    return twin_answers(gathered.subject, there)


def _timings(gathered: Gathered) -> Timings:
    return timings(gathered.subject, gathered.runs)


def _startup(gathered: Gathered) -> StartupFacts:
    return startup(gathered.subject)


def _memory(gathered: Gathered) -> MemoryFacts:
    artifact, device = gathered.subject.artifact, gathered.subject.device
    found = []
    for _ in range(WEIGHINGS):
        with locks.busy(), device.worker(artifact.format) as worker:
            found.append(worker.memory(artifact.path))
    return MemoryFacts(tuple(pair[0] for pair in found), tuple(pair[1] for pair in found))


def _instructions(gathered: Gathered) -> InstructionFacts:
    subject = gathered.subject
    with locks.busy():
        return subject.device.instructions(
            subject.artifact.path, lambda worker: put_inputs(worker, subject)
        )


_GATHER: Mapping[type, Callable[[Gathered], object]] = {
    FileFacts: _file,
    graph.Graph: _graph,
    PlanFacts: _plan,
    PlacementFacts: _placement,
    Predictions: _predictions,
    TwinAnswers: _twin_answers,
    Timings: _timings,
    StartupFacts: _startup,
    MemoryFacts: _memory,
    InstructionFacts: _instructions,
}
