"""One model on its device: build, measure, judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from pytest_edgebudget import verdict as verdicts
from pytest_edgebudget.build import build
from pytest_edgebudget.data import DataFile
from pytest_edgebudget.devices import Device
from pytest_edgebudget.devices.runtimes import trial_runtime
from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import (
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
    TwinAnswers,
)
from pytest_edgebudget.fit.hands import Hands
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.lock import LockEntry
from pytest_edgebudget.measure import Wanted, measure
from pytest_edgebudget.measure.telling import told_as
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import (
    Artifact,
    Limit,
    Measurement,
    Missing,
    ModelBudget,
    Reading,
    Recipe,
    Trial,
    Verdict,
)

IN_THE_FILE: tuple[type, ...] = (FileFacts, Graph)
PLANNED: tuple[type, ...] = (PlanFacts, LinkFacts)
STATIC: tuple[type, ...] = (*IN_THE_FILE, *PLANNED)
"""What needs no run, though a device may make one to plan."""
QUALITY: tuple[type, ...] = (Predictions, TwinAnswers)
PLACED: tuple[type, ...] = (PlacementFacts, NpuFacts)
MEMORY: tuple[type, ...] = (MemoryFacts, StartupFacts, InstructionFacts, SynthesisFacts)
KNOWN = (*STATIC, *PLACED, *QUALITY, *MEMORY)
"""All others are asked for last: times, energy, and what an extension reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """
    How limits are judged in this run: see the options of the command line.

    *fill*: a reading that the lock lacks is no missing baseline, it will be added.
    """

    today: date
    strict: bool = False
    relock: bool = False
    fill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """
    A model with its source artifact, its data and the device that it runs on.

    *hands*: who builds and measures; None: this process does.
    """

    model: ModelBudget
    source: Artifact
    data: DataFile | None
    lock: LockEntry | None
    device: Device
    metrics: Mapping[str, Metric]
    passes: Mapping[str, Pass]
    rules: Rules
    store: Store
    root: Path
    say: Callable[[str], None]
    tried: Callable[[Trial], None] = lambda trial: None
    answered: dict[tuple[str, str, int | None], Any] = field(default_factory=dict)
    hands: Hands | None = None

    def limits(self, needs: tuple[type, ...]) -> tuple[Limit, ...]:
        """The model's limits of metrics that read one of these kinds of facts."""
        return tuple(
            limit for limit in self.model.limits if self.metrics[limit.metric].needs in needs
        )

    def other_limits(self) -> tuple[Limit, ...]:
        """The model's limits of metrics that read none of KNOWN."""
        known = {limit.name for limit in self.limits(KNOWN)}
        return tuple(limit for limit in self.model.limits if limit.name not in known)

    def build(self, recipe: Recipe, *, tried: bool = True) -> Artifact:
        """The artifact of *recipe*; *tried*: it ran once in its runtime. Raises `BuildError`."""
        self.say(f"{self.model.name}: {recipe}: building")
        if self.hands is not None:
            return self.hands.build(replace(self, hands=None), recipe, tried=tried)
        return self.build_here(recipe, tried=tried)

    def build_here(self, recipe: Recipe, *, tried: bool, cached: bool = False) -> Artifact:
        """
        Build in this process, whoever else is there.

        *cached*: only look whether it was built before; raises LookupError where it was not.
        """
        return build(
            recipe,
            self.source,
            passes=self.passes,
            data=self.data,
            runtime=trial_runtime(self.device.runtime_for(self.source.format)),
            target=self.device.choice.profile,
            root=self.root,
            store=self.store,
            say=lambda text: self.say(f"{self.model.name}: {recipe}: {text}"),
            tried=tried,
            cached=cached,
        )

    def measure(
        self, artifact: Artifact, limits: Iterable[Limit], split: str, first: int | None = None
    ) -> Measurement:
        """Read the metrics of *limits* on a split, or its *first* so many samples."""
        self.say(f"{self.model.name}: {artifact.recipe}: measuring")
        with told_as(f"{self.model.name} ({artifact.recipe})", artifact, self.data):
            if self.hands is not None:
                own = replace(self, hands=None)
                return self.hands.measure(own, artifact, tuple(limits), split, first)
            return self.measure_here(artifact, limits, split, first)

    def measure_here(
        self,
        artifact: Artifact,
        limits: Iterable[Limit],
        split: str,
        first: int | None,
        *,
        kept: bool = False,
    ) -> Measurement:
        """Measure from this process, whoever else is there; *kept*: only what the cache has."""
        return measure(
            artifact,
            [self.wanted(limit) for limit in limits],
            device=self.device,
            data=self.data,
            split=split,
            first=first,
            source=self.source,
            state=self.model.state,
            store=self.store,
            root=self.root,
            answered=self.answered,
            kept=kept,
        )

    def wanted(self, limit: Limit) -> Wanted:
        """What `measure` is asked for on behalf of a limit."""
        metric = self.metrics[limit.metric]
        options = {**metric.defaults(), **dict(limit.options)}
        if limit.confidence is not None:
            options["confidence"] = limit.confidence
        return Wanted(limit.name, metric, options, drop=limit.max_drop is not None)

    def before(self, limits: Iterable[Limit], split: str, first: int | None = None) -> Measurement:
        """
        The source model's readings, of metrics that are the same at every run.

        Timing the source would double the run for a column of information. Where
        the runtime refuses the source, what is made of it may run all the same.
        """
        repeatable = (*STATIC, *QUALITY)
        asked = [each for each in limits if self.metrics[each.metric].needs in repeatable]
        try:
            return self.measure(self.source, asked, split, first)
        except ModelError as error:
            if len(asked) < 2:
                return Measurement(
                    {}, {each.name: Missing(each.name, str(error)) for each in asked}
                )
        parts = [self.before([each], split, first) for each in asked]
        readings = {name: it for part in parts for name, it in part.readings.items()}
        return Measurement(readings, {n: it for part in parts for n, it in part.missing.items()})

    def judge(
        self, limits: Iterable[Limit], after: Measurement, before: Measurement
    ) -> list[Verdict]:
        """Judge *limits* by what was read, before and after."""
        return [
            verdicts.judge(
                self.case(limit, after, before),
                model=self.model.name,
                today=self.rules.today,
                strict=self.rules.strict,
            )
            for limit in limits
        ]

    def case(self, limit: Limit, after: Measurement, before: Measurement) -> verdicts.Case:
        """A limit with everything that its verdict depends on."""
        waiver = next((w for w in self.model.waivers if w.metric == limit.name), None)
        locked = self.lock.readings.get(limit.name) if self.lock else None
        return verdicts.Case(
            limit=limit,
            better=self.metrics[limit.metric].better,
            reading=found(after, limit),
            before=found(before, limit),
            locked=locked,
            waiver=waiver,
            relock=self.rules.relock or (self.rules.fill and locked is None),
        )


def found(measurement: Measurement, limit: Limit) -> Reading | Missing:
    """The limit's reading, or why there is none."""
    reading = measurement.readings.get(limit.name)
    if reading is not None:
        return reading
    return measurement.missing.get(limit.name, Missing(limit.name, "it was not measured"))
