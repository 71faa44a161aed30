"""``optimize = "fit"``: the search that finds its recipes itself."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pytest_edgebudget import verdict as verdicts
from pytest_edgebudget.errors import BuildError, EdgeBudgetError, ModelError
from pytest_edgebudget.facts import Predictions
from pytest_edgebudget.fit.bench import STATIC, Bench
from pytest_edgebudget.fit.bits import Bits
from pytest_edgebudget.fit.bounds import Least, least_arena, least_size
from pytest_edgebudget.fit.infeasible import infeasible
from pytest_edgebudget.fit.result import Fit
from pytest_edgebudget.fit.schooling import School
from pytest_edgebudget.fit.search import Search, selection_split
from pytest_edgebudget.fit.space import Space
from pytest_edgebudget.graph import read
from pytest_edgebudget.types import (
    Artifact,
    Better,
    Evidence,
    FitChoice,
    Limit,
    Reading,
    Recipe,
    Trial,
)
from pytest_edgebudget.units import format_value

SHRUNK = ("size", "download_size", "flash", "model_flash", "npu_flash", "off_chip")
"""Metrics of a file's bytes: what fewer bits and clean-ups help."""

CLEANED = math.log(1.35)
"""A file that is larger than its limit by no more than this may fit when it is cleaned."""

NEARLY = 0.95
"""A planned arena may be smaller by so much after all: other ops in place."""

BISECTIONS = 4
CLEANED_AT_LAST = 3
"""So many of the nearest candidates are cleaned before it is said that nothing fits."""


class Fitting(Search):
    """The search for one model, over the recipes that its device gains by."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.choice = bench.model.fit or FitChoice()
        self.graph = read(bench.source.path)
        calibrated = bench.data is not None and bench.data.has("x_calibration")
        self.space = Space(self.graph, bench.device.choice, bench.passes, calibrated)
        self.bits = Bits(bench, self.graph, self.space)
        self.split = selection_split(bench.data)
        self.goal = self._goal()
        self._started = time.monotonic()
        self._cut_short = False

    def _search(self, recipes: Sequence[Recipe]) -> Fit:
        tried = {str(trial.recipe) for trial in self.trials}
        best = self._best(self._unseen(self._candidates(), tried))
        if best is not None:
            self.ahead.close()
        if best is not None and best.artifact is not None:
            made = self._fit(best.artifact, self._final(best), self.split)
            return replace(made, cut_short=self._cut_short)
        self._clean_the_nearest()
        closest = self._closest(self.split)
        if closest is None or closest.artifact is None:
            raise BuildError(self._nothing())
        found = self._fit(closest.artifact, self._final(closest), self.split)
        words = () if found.kept else tuple(infeasible(self, closest))
        return replace(found, infeasible=words, trials=tuple(self.trials))

    def _clean_the_nearest(self) -> None:
        """What is said of the nearest candidates is said of them without ballast."""
        shrunk = set(self._shrunk_limits())
        built = [t for t in self.trials if t.artifact and shrunk & set(t.binding)]
        for trial in sorted(built, key=lambda each: each.excess)[:CLEANED_AT_LAST]:
            cleaned = self.space.cleaned(trial.recipe)
            if cleaned is not None and self._trial_of(cleaned) is None and not self.spent():
                self.trials.append(self.ahead.look(cleaned))
                self.bench.tried(self.trials[-1])

    def _unseen(self, recipes: Iterable[Recipe], tried: set[str]) -> Iterator[Recipe]:
        """Each recipe once, as long as there are trials and time left."""
        for recipe in recipes:
            if self.spent():
                self._cut_short = True
                return
            if str(recipe) not in tried:
                tried.add(str(recipe))
                yield recipe

    def spent(self) -> bool:
        """Whether its trials or its time are used up."""
        longest = self.choice.max_time
        late = longest is not None and time.monotonic() - self._started > longest
        return self._room() <= 0 or late

    def _room(self) -> float:
        built = sum(trial.state != "skipped" for trial in self.trials)
        return self.choice.max_trials - built

    def _best(self, recipes: Iterator[Recipe]) -> Trial | None:
        """The trial that is chosen: the first that keeps every limit, or the best that does."""
        best: Trial | None = None
        for recipe in recipes:
            trial = self.ahead.look(recipe)
            self.trials.append(trial)
            self.bench.tried(trial)
            if trial.state != "chosen":
                continue
            best = self._better(trial, best)
            if self.goal is None or self._as_good_as_it_gets(trial):
                break
        return best

    def _better(self, trial: Trial, best: Trial | None) -> Trial:
        """The better of two that keep every limit; the other one is put aside."""
        if best is None:
            return trial
        new = self._score(trial) < self._score(best)
        good, other = (trial, best) if new else (best, trial)
        place = next(i for i, each in enumerate(self.trials) if each is other)
        self.trials[place] = replace(other, state="kept")
        return good

    def _score(self, trial: Trial) -> float:
        """What is to be least of a trial."""
        assert self.goal is not None
        reading = trial.readings.get(self.goal.name)
        if reading is None:
            return math.inf
        higher = self.bench.metrics[self.goal.metric].better is Better.HIGHER
        return -reading.value if higher else reading.value

    def _as_good_as_it_gets(self, trial: Trial) -> bool:
        """A quality that is not below the source's: what is above it is luck."""
        if self.goal is None or not self._of_quality(self.goal):
            return False
        before = self._before((self.goal,), self.split, None).readings.get(self.goal.name)
        reading = trial.readings.get(self.goal.name)
        if before is None or reading is None:
            return False
        higher = self.bench.metrics[self.goal.metric].better is Better.HIGHER
        return reading.value >= before.value if higher else reading.value <= before.value

    def _of_quality(self, limit: Limit) -> bool:
        return self.bench.metrics[limit.metric].needs is Predictions

    def _goal(self) -> Limit | None:
        """What to be best at, as a limit without a bound."""
        name = self.choice.objective
        if not name:
            return None
        limits = self.bench.model.limits
        if name == "accuracy":
            limit = next(each for each in limits if self._of_quality(each))
            return replace(limit, max=None, min=None, max_drop=None, max_regression=None)
        every = tuple(Evidence)
        return Limit(metric=name, evidence=every, place=self.bench.model.place)

    def _candidates(self) -> Iterator[Recipe]:
        """Least harm first; what a step brings is made after the ones before it failed."""
        if self.goal is not None and self.goal.metric in SHRUNK:
            yield from self._smallest_first()
            return
        base, harsh = self.space.base(), self.space.harsh()
        yield from self._each_cleaned(base)
        yield from self._mixed()
        yield from self._each_cleaned(harsh)
        yield from self._downloads((*base, *harsh))
        yield from self._trained()

    def _each_cleaned(self, recipes: Iterable[Recipe]) -> Iterator[Recipe]:
        """Each, and where it broke limits of bytes by little what it becomes without ballast."""
        if isinstance(recipes, Sequence):
            self.ahead.expect([each for each in recipes if self._trial_of(each) is None])
        for recipe in recipes:
            yield recipe
            trial = self._trial_of(recipe)
            if trial is not None and self._nearly_fits(trial):
                cleaned = self.space.cleaned(recipe)
                if cleaned is not None:
                    yield cleaned

    def _nearly_fits(self, trial: Trial) -> bool:
        """Whether only limits of bytes are broken, and by little."""
        only = set(trial.binding) <= set(self._shrunk_limits())
        return trial.artifact is not None and only and 0 < trial.excess < CLEANED

    def _trial_of(self, recipe: Recipe) -> Trial | None:
        return next((t for t in self.trials if t.recipe == recipe), None)

    def _shrunk_limits(self) -> list[str]:
        return [limit.name for limit in self.bench.model.limits if limit.metric in SHRUNK]

    def _mixed(self) -> Iterator[Recipe]:
        """Bits by layer, the least harm that keeps the limits of bytes."""
        limit = next((each for each in self.bench.model.limits if each.metric == "size"), None)
        if limit is None or limit.max is None or not self.space.mixes():
            return
        recipe = self.bits.for_size(limit.max)
        if recipe is not None:
            yield recipe

    def _downloads(self, base: Sequence[Recipe]) -> Iterator[Recipe]:
        """Weights that compress better, where a limit of the download was broken."""
        if not any("download_size" in trial.binding for trial in self.trials):
            return
        for recipe in base:
            trial = self._trial_of(recipe)
            if trial is not None and set(trial.binding) == {"download_size"}:
                yield from self.space.downloads(recipe)

    def _trained(self) -> Iterator[Recipe]:
        """Passes that train: only when all others failed, and only what can close the gap."""
        bench = self.bench
        can = bench.source.trainable is not None and bench.data is not None
        if not (can and self.choice.train and bench.data and bench.data.has("x_train")):
            return
        if any(trial.state in ("chosen", "kept") for trial in self.trials):
            return
        quality = frozenset(each.name for each in bench.model.limits if self._of_quality(each))
        integer = any(str(recipe) == "int8" for recipe in self.space.base())
        school = School(bench.passes, quality, self.graph.format, integer)
        yield from self._each_cleaned(school.recipes(self.trials))

    def _smallest_first(self) -> Iterator[Recipe]:
        """Everything that may fit, built at once and sent to the judge in the order of its size."""
        base = (*self.space.base(), *self.space.harsh())
        cleaned = list(dict.fromkeys(self.space.cleaned(recipe) or recipe for recipe in base))
        sizes = dict(zip(cleaned, self.ahead.each(self._built_size, cleaned), strict=True))
        kept = [recipe for recipe in sizes if sizes[recipe] < math.inf]
        best = math.inf
        kept.sort(key=lambda each: sizes[each])
        self.ahead.expect([each for each in kept if self._trial_of(each) is None])
        for recipe in kept:
            yield recipe
            if self._chosen(recipe):
                best = sizes[recipe]
                break
        if self.space.mixes():
            yield from self._mixed_below(best)
        yield from self._trained()

    def _mixed_below(self, best: float) -> Iterator[Recipe]:
        """Bisect the trade of bytes against harm: a few evaluations, not one for each step."""
        choices = self.bits.below(best)
        low, high = 0, len(choices)
        for _ in range(BISECTIONS):
            if low >= high:
                return
            middle = (low + high) // 2
            yield choices[middle]
            low, high = (middle + 1, high) if self._chosen(choices[middle]) else (low, middle)

    def _chosen(self, recipe: Recipe) -> bool:
        trial = self._trial_of(recipe)
        return trial is not None and trial.state in ("chosen", "kept")

    def _built_size(self, recipe: Recipe) -> float:
        """Bytes of the artifact; infinite where it cannot be built, or cannot fit."""
        if self._skipped(recipe) is not None:
            return math.inf
        try:
            return self.bench.build(recipe, tried=False).size
        except (BuildError, ModelError):
            return math.inf

    def _attempt(self, recipe: Recipe) -> Trial:
        """Try *recipe*, unless its bytes or its activations cannot fit."""
        skipped = self._skipped(recipe)
        if skipped is not None:
            return skipped
        trial = self._try(recipe, self.split)
        if trial.state != "chosen" or self.goal is None or trial.artifact is None:
            return trial
        return self._with_goal(trial, trial.artifact)

    def _with_goal(self, trial: Trial, artifact: Artifact) -> Trial:
        assert self.goal is not None
        if self.goal.name in trial.readings:
            return trial
        found = self.bench.measure(artifact, (self.goal,), self.split)
        if self.goal.name not in found.readings:
            missing = found.missing.get(self.goal.name)
            raise EdgeBudgetError(
                f"the objective {self.goal.metric} is not read here"
                + (f": {missing.reason}" if missing else ""),
                "choose another objective, or another device",
            )
        return replace(trial, readings={**trial.readings, **found.readings})

    def _skipped(self, recipe: Recipe) -> Trial | None:
        """The trial of a recipe that cannot fit, whatever it becomes."""
        started = time.perf_counter()
        for limit in self.bench.limits(STATIC):
            least = self._least(recipe, limit)
            if least is None:
                continue
            reading = Reading(
                metric=limit.metric,
                value=least.size,
                low=least.size,
                high=least.size,
                evidence=limit.evidence[0],
            )
            judged = self._judged(limit, reading)
            if verdicts.surely_broken(judged):
                unit = self.bench.metrics[limit.metric].unit
                return Trial(
                    recipe=recipe,
                    state="skipped",
                    binding=(limit.name,),
                    excess=verdicts.excess(judged),
                    reason=f"cannot fit: {least.words} need {format_value(least.size, unit)}",
                    seconds=time.perf_counter() - started,
                )
        return None

    def _least(self, recipe: Recipe, limit: Limit) -> Least | None:
        if limit.metric == "size":
            return least_size(self.graph, recipe)
        if limit.metric == "macs":
            return self._work(recipe)
        device = self.bench.device
        if limit.metric != "arena" or self.graph.format != "tflite":
            return None
        runtime = device.runtime_for("tflite")
        kernels = device.choice.profile.kernels
        try:
            size = least_arena(self.graph, recipe, runtime, kernels)
        except ValueError:
            return None
        return Least(int(NEARLY * size), "its activations alone")

    def _work(self, recipe: Recipe) -> Least | None:
        """Multiply-accumulates, which passes leave alone that only change numbers."""
        before = self._before(self.bench.limits(STATIC), "test", None).readings.get("macs")
        if before is None or not least_size(self.graph, recipe).size:
            return None
        return Least(int(before.value), "its layers")

    def completed(self, trial: Trial) -> Trial:
        """The trial with what all stages say of it, kept among the others."""
        place = next(i for i, each in enumerate(self.trials) if each.recipe == trial.recipe)
        self.trials[place] = self._completed(self.trials[place], self.split)
        return self.trials[place]

    def _completed(self, trial: Trial, split: str) -> Trial:
        if trial.state == "skipped":
            trial = self._try(trial.recipe, split)
        return super()._completed(trial, split) if trial.artifact is not None else trial
