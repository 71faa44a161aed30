"""The search for the candidate that keeps every limit of one model."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_edgebudget import verdict as verdicts
from pytest_edgebudget.budget.recipes import parse_recipe
from pytest_edgebudget.data import DataFile
from pytest_edgebudget.errors import BuildError, EdgeBudgetError, ModelError
from pytest_edgebudget.fit.ahead import Ahead
from pytest_edgebudget.fit.bench import (
    IN_THE_FILE,
    MEMORY,
    PLACED,
    PLANNED,
    QUALITY,
    STATIC,
    Bench,
)
from pytest_edgebudget.fit.result import Control, Fit
from pytest_edgebudget.training import epochs_of
from pytest_edgebudget.types import (
    Artifact,
    Better,
    Limit,
    Measurement,
    Reading,
    Recipe,
    Tolerance,
    Trial,
    Verdict,
)

FIRST_SLICE = 100
"""Samples of the first look at accuracy: enough to see a wrecked model."""

SLICE_CONFIDENCE = 0.95


class Search:
    """The search for one model; what was built or measured is kept in *trials*."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.trials: list[Trial] = []
        self._befores: dict[tuple[tuple[str, ...], str, int | None], Measurement] = {}
        self.ahead = Ahead(
            self._attempt,
            size=bench.hands.size if bench.hands else 1,
            late=self._trains,
            room=self._room,
        )

    def run(self, recipes: Sequence[Recipe], *, locked: str | None) -> Fit:
        """
        Try *recipes* in their order until one keeps every limit.

        The *locked* recipe, or one without rivals, is judged as it is; the
        others only when it surely breaks a limit.
        """
        try:
            return self._run(recipes, locked)
        finally:
            self.ahead.close()

    def _run(self, recipes: Sequence[Recipe], locked: str | None) -> Fit:
        if recipes and (str(recipes[0]) == locked or len(recipes) == 1):
            fit = self._as_it_is(recipes[0], from_lock=str(recipes[0]) == locked)
            if fit is not None:
                return fit
            recipes = recipes[1:]
        return self._search(recipes)

    def _as_it_is(self, recipe: Recipe, *, from_lock: bool) -> Fit | None:
        """The one recipe judged on the test split; None when it surely breaks a limit."""
        started = time.perf_counter()
        try:
            artifact = self.bench.build(recipe)
            after = self.bench.measure(artifact, self.bench.model.limits, "test")
        except (BuildError, ModelError) as error:
            self.trials.append(_failed(recipe, error, started))
            return None
        judged = self.bench.judge(self.bench.model.limits, after, self._before_test())
        trial = self._trial(artifact, after.readings, judged, started)
        self.trials.append(replace(trial, from_lock=from_lock))
        return self._fit(artifact, after) if trial.state == "chosen" else None

    def _search(self, recipes: Sequence[Recipe]) -> Fit:
        split = selection_split(self.bench.data)
        self.ahead.expect(recipes)
        for recipe in recipes:
            trial = self.ahead.look(recipe)
            self.trials.append(trial)
            if trial.state == "chosen" and trial.artifact is not None:
                self.ahead.close()
                return self._fit(trial.artifact, self._final(trial), split)
        closest = self._closest(split)
        if closest is None or closest.artifact is None:
            raise BuildError(self._nothing())
        return self._fit(closest.artifact, self._final(closest), split if recipes else "")

    def _attempt(self, recipe: Recipe) -> Trial:
        """What becomes of *recipe*; several threads at once may ask."""
        return self._try(recipe, selection_split(self.bench.data))

    def _trains(self, recipe: Recipe) -> bool:
        """Whether *recipe* takes long enough to wait for its turn."""
        passes = self.bench.passes
        return any(step.name in passes and passes[step.name].trains for step in recipe.steps)

    def _room(self) -> float:
        """How many candidates may still be tried."""
        return math.inf

    def _nothing(self) -> str:
        """Why there is no candidate; once, where all failed alike."""
        name = self.bench.model.name
        reasons = {
            str(trial.recipe): trial.reason.replace(f"{name} ({trial.recipe}): ", "")
            for trial in self.trials
        }
        if len(set(reasons.values())) == 1:
            recipes = "" if list(reasons) == ["none"] else f" ({', '.join(reasons)})"
            return f"{name}{recipes}: {next(iter(reasons.values()))}"
        each = "\n".join(f"  {recipe}: {reason}" for recipe, reason in reasons.items())
        return f"{name}: no candidate could be built\n{each}"

    def _try(self, recipe: Recipe, split: str) -> Trial:
        """Build *recipe* and send it through the stages until one rejects it."""
        started = time.perf_counter()
        try:
            artifact = self.bench.build(recipe, tried=False)
            readings, judged = self._through_stages(artifact, split)
        except (BuildError, ModelError) as error:
            return _failed(recipe, error, started)
        return self._trial(artifact, readings, judged, started)

    def _closest(self, split: str) -> Trial | None:
        """
        The candidate whose worst miss is the least.

        A stage that rejects hides what the later ones would have found: the miss
        that is known is a lower bound. The least is looked at in full, until it
        is still the least.
        """
        bounds = {
            place: trial.excess
            for place, trial in enumerate(self.trials)
            if trial.artifact or trial.state == "skipped"
        }
        complete: set[int] = set()
        while bounds:
            least = min(bounds, key=lambda place: bounds[place])
            if least in complete:
                return self.trials[least]
            complete.add(least)
            found = self._completed(self.trials[least], split)
            self.trials[least] = found
            bounds[least] = found.excess if found.artifact else math.inf
        return None

    def _completed(self, trial: Trial, split: str) -> Trial:
        """The candidate with the readings of all stages, and all limits that it breaks."""
        readings, excess = dict(trial.readings), dict.fromkeys(trial.binding, trial.excess)
        try:
            artifact = self.bench.build(trial.recipe)
            for limits in (limits for limits, first in self._stages(split) if first is None):
                judged, found = self._stage(artifact, limits, split, None)
                readings.update(found)
                broken = filter(verdicts.surely_broken, judged)
                excess.update({each.limit.name: verdicts.excess(each) for each in broken})
        except (BuildError, ModelError) as error:
            return _failed(trial.recipe, error, time.perf_counter() - trial.seconds)
        worst = max(excess.values(), default=trial.excess)
        return replace(
            trial, artifact=artifact, readings=readings, binding=tuple(excess), excess=worst
        )

    def _through_stages(
        self, artifact: Artifact, split: str
    ) -> tuple[Mapping[str, Reading], Sequence[Verdict]]:
        """All readings until a stage rejects, and the verdicts of that stage."""
        readings: dict[str, Reading] = {}
        for place, (limits, first) in enumerate(self._stages(split)):
            if place == 1:  # what the file itself shows is behind us: now it has to run
                artifact = self.bench.build(artifact.recipe)
            judged, found = self._stage(artifact, limits, split, first)
            readings.update(found)
            if any(map(verdicts.surely_broken, judged)):
                return readings, judged
        return readings, ()

    def _stages(self, split: str) -> Iterable[tuple[tuple[Limit, ...], int | None]]:
        """Limits to judge together, cheapest first, with the number of samples."""
        yield self.bench.limits(IN_THE_FILE), None
        yield self.bench.limits(PLANNED), None
        yield self.bench.limits(PLACED), None
        quality = self.bench.limits(QUALITY)
        samples = self.bench.data.samples(split) if self.bench.data else 0
        if self.bench.model.state != "carried":
            for first in slices(samples):
                yield tuple(self._first_look(quality)), first
        yield quality, None
        yield self.bench.limits(MEMORY), None
        yield self.bench.other_limits(), None

    def _stage(
        self, artifact: Artifact, limits: tuple[Limit, ...], split: str, first: int | None
    ) -> tuple[list[Verdict], Mapping[str, Reading]]:
        if not limits:
            return [], {}
        after = self.bench.measure(artifact, limits, split, first)
        before = self._before(limits, split, first)
        judged = self.bench.judge([self._moved(limit, split) for limit in limits], after, before)
        return judged, after.readings

    def _judged(self, limit: Limit, reading: Reading) -> Verdict:
        """The verdict of a limit for a reading that nobody took."""
        after = Measurement({limit.name: reading}, {})
        before = self._before(self.bench.limits(STATIC), "test", None)
        return self.bench.judge([limit], after, before)[0]

    def _first_look(self, limits: Iterable[Limit]) -> Iterable[Limit]:
        """
        Limits that a few samples can surely break: those whose reading has an interval.

        A metric of the user's own has none, and few samples of it prove nothing.
        """
        for limit in limits:
            if limit.name == limit.metric and not self.bench.metrics[limit.metric].identity:
                yield replace(limit, confidence=SLICE_CONFIDENCE)

    def _moved(self, limit: Limit, split: str) -> Limit:
        """
        A limit whose lock was read on the test split, for the split of the search.

        The candidate may be as far below the source model here as the lock and
        its tolerance allow it to be there.
        """
        metric = self.bench.metrics[limit.metric]
        if split == "test" or metric.needs not in QUALITY or limit.max_regression is None:
            return limit
        locked = self.bench.lock.readings.get(limit.name) if self.bench.lock else None
        there = self._before_test().readings.get(limit.name)
        if locked is None or there is None:
            return limit
        change = limit.min_change.of(locked.value) if limit.min_change else 0.0
        room = max(limit.max_regression.of(locked.value), change)
        gap = (
            locked.value - there.value
            if metric.better is Better.LOWER
            else there.value - locked.value
        )
        drop = limit.max_drop.of(there.value) if limit.max_drop else math.inf
        moved = Tolerance(min(gap + room, drop), relative=False)
        return replace(limit, max_regression=None, max_drop=moved)

    def _before_test(self) -> Measurement:
        return self._before(self.bench.model.limits, "test", None)

    def _before(self, limits: Iterable[Limit], split: str, first: int | None) -> Measurement:
        """The source model's readings, taken once."""
        asked = tuple(limits)
        key = tuple(limit.name for limit in asked), split, first
        if key not in self._befores:
            self._befores[key] = self.bench.before(asked, split, first)
        return self._befores[key]

    def _final(self, trial: Trial) -> Measurement:
        """The candidate on the test split; physical readings of the search are kept."""
        assert trial.artifact is not None
        physical = {
            limit.name
            for limit in (*self.bench.limits((*PLACED, *MEMORY)), *self.bench.other_limits())
        }
        known = {name: r for name, r in trial.readings.items() if name in physical}
        rest = [limit for limit in self.bench.model.limits if limit.name not in known]
        after = self.bench.measure(trial.artifact, rest, "test")
        return Measurement({**after.readings, **known}, after.missing)

    def _fit(self, artifact: Artifact, after: Measurement, split: str = "") -> Fit:
        before = self._before_test()
        return Fit(
            model=self.bench.model,
            source=self.bench.source,
            artifact=artifact,
            before=before,
            after=after,
            verdicts=tuple(self.bench.judge(self.bench.model.limits, after, before)),
            trials=tuple(self.trials),
            selected_on=split,
            control=self._control(artifact),
            data=self.bench.data,
        )

    def _control(self, artifact: Artifact) -> Control | None:
        """
        The float model trained for as many epochs as *artifact* was, on the test split.

        What it gains is not the recipe's merit. None for a recipe that does not train.
        """
        epochs = epochs_of(artifact.recipe, self.bench.passes)
        if not epochs or "finetune" not in self.bench.passes:
            return None
        recipe = parse_recipe(f"finetune(epochs={epochs})", self.bench.passes)
        if recipe == artifact.recipe:
            return None
        try:
            made = self.bench.build(recipe)
            after = self.bench.measure(made, self.bench.limits(QUALITY), "test")
        except (BuildError, ModelError):
            return None
        return Control(recipe, after.readings)

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


def _failed(recipe: Recipe, error: EdgeBudgetError, started: float) -> Trial:
    """A candidate that could not be made or that its runtime refuses: the others go on."""
    seconds = time.perf_counter() - started
    return Trial(recipe=recipe, state="failed", reason=str(error), seconds=seconds)


def slices(samples: int) -> Iterator[int]:
    """Numbers of samples to look at before all of them, each four times the last."""
    first = FIRST_SLICE
    while samples > 2 * first:
        yield first
        first *= 4


def selection_split(data: DataFile | None) -> str:
    """The split that a search may look at: "val", "calibration", else "test"."""
    if data is None:
        return "test"
    labelled = data.has("y_test")
    for split in ("val", "calibration"):
        if data.samples(split) and (data.has(f"y_{split}") or not labelled):
            return split
    return "test"
