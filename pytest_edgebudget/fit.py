"""
One model to the candidate that keeps every limit, with the fewest evaluations.

The lock's recipe comes first and is judged as it is; only a surely broken
limit starts the search. A candidate passes through stages, cheapest first, and
the first stage that surely breaks a limit rejects it. The search selects on
``x_val`` (else on a labelled ``x_calibration``); the test split judges once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pytest_edgebudget import verdict as verdicts
from pytest_edgebudget.build import build, source_artifact
from pytest_edgebudget.data import DataFile, load_data
from pytest_edgebudget.devices import Device
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import (
    FileFacts,
    InstructionFacts,
    MemoryFacts,
    Predictions,
    StartupFacts,
    Timings,
)
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.lock import LockEntry
from pytest_edgebudget.measure import Wanted, measure
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.metrics.own import own_metric
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.plan import candidates
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

FIRST_SLICE = 100
"""Samples of the first look at accuracy: enough to see a wrecked model."""

SLICE_CONFIDENCE = 0.95

STATIC: tuple[type, ...] = (FileFacts, Graph)
QUALITY: tuple[type, ...] = (Predictions,)
MEMORY: tuple[type, ...] = (MemoryFacts, StartupFacts, InstructionFacts)
TIME: tuple[type, ...] = (Timings,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """
    What became of one model on one device.

    *before* and *after* are the source model's and the artifact's readings on
    the test split. *selected_on* names the split that the search looked at, or
    is empty when nothing was searched.
    """

    model: ModelBudget
    source: Artifact
    artifact: Artifact
    before: Measurement
    after: Measurement
    verdicts: tuple[Verdict, ...]
    trials: tuple[Trial, ...]
    selected_on: str = ""

    @property
    def kept(self) -> bool:
        """Whether no limit fails."""
        return not any(verdict.fails for verdict in self.verdicts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitter:
    """Fits models for one device; *say* is told what takes long."""

    device: Device
    store: Store
    root: Path
    metrics: Mapping[str, Metric]
    passes: Mapping[str, Pass]
    today: date
    optimize: bool = True
    strict: bool = False
    relock: bool = False
    say: Callable[[str], None] = lambda text: None

    def fit(self, model: ModelBudget, lock: LockEntry | None) -> Fit:
        """
        Find the candidate that keeps every limit of *model*.

        When there is none, the closest one's readings are judged: broken.
        Raises `BuildError` when no candidate could be built, `DeviceError` when
        a worker failed, `ModelError` for damaged files.
        """
        return _Search(self, model, lock).run()

    def read(self, artifact: Artifact, limit: Limit) -> Reading | Missing:
        """One metric of an artifact that needs no run, for joint limits."""
        metric = self.metrics[limit.metric]
        wanted = Wanted(limit.name, metric, {**metric.defaults(), **dict(limit.options)})
        found = measure(
            artifact,
            [wanted],
            device=self.device,
            data=None,
            split="test",
            source=None,
            state="reset",
            store=self.store,
            root=self.root,
        )
        return _found(found, limit)


class _Search:
    """The search for one model; what was built or measured is kept in *trials*."""

    def __init__(self, fitter: Fitter, model: ModelBudget, lock: LockEntry | None) -> None:
        self.fitter, self.model, self.lock = fitter, model, lock
        own = {own.name: own_metric(own, fitter.root) for own in model.own_metrics}
        self.metrics = {**fitter.metrics, **own}
        self.trials: list[Trial] = []
        self.source = source_artifact(
            model, formats=fitter.device.formats, root=fitter.root, store=fitter.store
        )
        self.data = (
            load_data(model.data, root=fitter.root, store=fitter.store) if model.data else None
        )

    def run(self) -> Fit:
        locked = self.lock.recipe if self.lock else None
        recipes = candidates(self.model, locked=locked, optimize=self.fitter.optimize)
        if str(recipes[0]) == locked or len(recipes) == 1:
            fit = self._as_it_is(recipes[0], from_lock=str(recipes[0]) == locked)
            if fit is not None:
                return fit
            recipes = recipes[1:]
        return self._search(recipes)

    def _as_it_is(self, recipe: Recipe, *, from_lock: bool) -> Fit | None:
        """The one recipe judged on the test split; None when it surely breaks a limit."""
        started = time.perf_counter()
        artifact = self._build(recipe, started)
        if isinstance(artifact, Trial):
            self.trials.append(artifact)
            return None
        after = self._measure(artifact, self.model.limits, "test")
        judged = self._judge(self.model.limits, after, self._before("test"))
        trial = self._trial(artifact, after.readings, judged, started)
        self.trials.append(replace(trial, from_lock=from_lock))
        return self._fit(artifact, after) if trial.state == "chosen" else None

    def _search(self, recipes: Sequence[Recipe]) -> Fit:
        split = selection_split(self.data)
        for recipe in recipes:
            trial = self._try(recipe, split)
            self.trials.append(trial)
            if trial.state == "chosen" and trial.artifact is not None:
                return self._fit(trial.artifact, self._final(trial), split)
        closest = _closest(self.trials)
        if closest is None or closest.artifact is None:
            raise BuildError(
                f"{self.model.name}: no candidate could be built\n"
                + "\n".join(f"  {trial.recipe}: {trial.reason}" for trial in self.trials)
            )
        return self._fit(closest.artifact, self._final(closest), split if recipes else "")

    def _try(self, recipe: Recipe, split: str) -> Trial:
        """Build *recipe* and send it through the stages until one rejects it."""
        started = time.perf_counter()
        artifact = self._build(recipe, started)
        if isinstance(artifact, Trial):
            return artifact
        readings: dict[str, Reading] = {}
        for limits, first in self._stages(split):
            judged, found = self._stage(artifact, limits, split, first)
            readings.update(found)
            if any(map(verdicts.surely_broken, judged)):
                break
        else:
            judged = []
        return self._trial(artifact, readings, judged, started)

    def _stages(self, split: str) -> Iterable[tuple[tuple[Limit, ...], int | None]]:
        """Limits to judge together, cheapest first, with the number of samples."""
        yield self._limits(STATIC), None
        quality = self._limits(QUALITY)
        if self.data and self.data.samples(split) > 2 * FIRST_SLICE:
            whole = (limit for limit in quality if limit.name == limit.metric)
            yield (
                tuple(replace(limit, confidence=SLICE_CONFIDENCE) for limit in whole),
                FIRST_SLICE,
            )
        yield quality, None
        yield self._limits(MEMORY), None
        yield self._limits(TIME), None

    def _stage(
        self, artifact: Artifact, limits: tuple[Limit, ...], split: str, first: int | None
    ) -> tuple[list[Verdict], Mapping[str, Reading]]:
        if not limits:
            return [], {}
        after = self._measure(artifact, limits, split, first)
        before = self._before(split, first)
        return self._judge(limits, after, before), after.readings

    def _limits(self, needs: tuple[type, ...]) -> tuple[Limit, ...]:
        return tuple(
            limit for limit in self.model.limits if self.metrics[limit.metric].needs in needs
        )

    def _build(self, recipe: Recipe, started: float) -> Artifact | Trial:
        fitter = self.fitter
        fitter.say(f"{self.model.name}: {recipe}: building")
        try:
            return build(
                recipe,
                self.source,
                passes=fitter.passes,
                data=self.data,
                runtime=fitter.device.runtime_for(self.source.format),
                root=fitter.root,
                store=fitter.store,
            )
        except BuildError as error:
            seconds = time.perf_counter() - started
            return Trial(recipe=recipe, state="failed", reason=str(error), seconds=seconds)

    def _measure(
        self, artifact: Artifact, limits: Iterable[Limit], split: str, first: int | None = None
    ) -> Measurement:
        fitter = self.fitter
        fitter.say(f"{self.model.name}: {artifact.recipe}: measuring")
        return measure(
            artifact,
            [self._wanted(limit) for limit in limits],
            device=fitter.device,
            data=self.data,
            split=split,
            first=first,
            source=self.source,
            state=self.model.state,
            store=fitter.store,
            root=fitter.root,
        )

    def _wanted(self, limit: Limit) -> Wanted:
        metric = self.metrics[limit.metric]
        return Wanted(limit.name, metric, {**metric.defaults(), **dict(limit.options)})

    def _before(self, split: str, first: int | None = None) -> Measurement:
        """
        The source model's readings, of metrics that are the same at every run.

        Timing the source would double the run for a column of information.
        """
        return self._measure(self.source, self._limits((*STATIC, *QUALITY)), split, first)

    def _judge(
        self, limits: Iterable[Limit], after: Measurement, before: Measurement
    ) -> list[Verdict]:
        return [
            verdicts.judge(
                self._case(limit, after, before),
                model=self.model.name,
                today=self.fitter.today,
                strict=self.fitter.strict,
            )
            for limit in limits
        ]

    def _case(self, limit: Limit, after: Measurement, before: Measurement) -> verdicts.Case:
        waiver = next((w for w in self.model.waivers if w.metric == limit.metric), None)
        return verdicts.Case(
            limit=limit,
            better=self.metrics[limit.metric].better,
            reading=_found(after, limit),
            before=_found(before, limit),
            locked=self.lock.readings.get(limit.name) if self.lock else None,
            waiver=waiver,
            relock=self.fitter.relock,
        )

    def _final(self, trial: Trial) -> Measurement:
        """The candidate on the test split; physical readings of the search are kept."""
        assert trial.artifact is not None
        physical = {limit.name for limit in self._limits((*MEMORY, *TIME))}
        known = {name: r for name, r in trial.readings.items() if name in physical}
        rest = [limit for limit in self.model.limits if limit.name not in known]
        after = self._measure(trial.artifact, rest, "test")
        return Measurement({**after.readings, **known}, after.missing)

    def _fit(self, artifact: Artifact, after: Measurement, split: str = "") -> Fit:
        before = self._before("test")
        return Fit(
            model=self.model,
            source=self.source,
            artifact=artifact,
            before=before,
            after=after,
            verdicts=tuple(self._judge(self.model.limits, after, before)),
            trials=tuple(self.trials),
            selected_on=split,
        )

    def _trial(
        self,
        artifact: Artifact,
        readings: Mapping[str, Reading],
        judged: Iterable[Verdict],
        started: float,
    ) -> Trial:
        broken = [verdict for verdict in judged if verdicts.surely_broken(verdict)]
        return Trial(
            recipe=artifact.recipe,
            state="rejected" if broken else "chosen",
            artifact=artifact,
            readings=readings,
            binding=tuple(verdict.limit.name for verdict in broken),
            excess=max(map(verdicts.excess, broken), default=0.0),
            seconds=time.perf_counter() - started,
        )


def selection_split(data: DataFile | None) -> str:
    """The split that a search may look at: "val", "calibration", else "test"."""
    if data is None:
        return "test"
    labelled = data.has("y_test")
    for split in ("val", "calibration"):
        if data.samples(split) and (data.has(f"y_{split}") or not labelled):
            return split
    return "test"


def _closest(trials: Iterable[Trial]) -> Trial | None:
    built = [trial for trial in trials if trial.artifact is not None]
    return min(built, key=lambda trial: trial.excess, default=None)


def _found(measurement: Measurement, limit: Limit) -> Reading | Missing:
    reading = measurement.readings.get(limit.name)
    if reading is not None:
        return reading
    return measurement.missing.get(limit.name, Missing(limit.name, "it was not measured"))
