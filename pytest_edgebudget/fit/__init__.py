"""
One model to the candidate that keeps every limit, with the fewest evaluations.

The lock's recipe comes first and is judged as it is; only a surely broken
limit starts the search. A candidate passes through stages, cheapest first, and
the first stage that surely breaks a limit rejects it. The search selects on
``x_val`` (else on a labelled ``x_calibration``); the test split judges once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_edgebudget.budget.recipes import parse_recipe
from pytest_edgebudget.build import source_artifact
from pytest_edgebudget.data import load_data
from pytest_edgebudget.devices import Device
from pytest_edgebudget.fit.bench import Bench, Rules, found
from pytest_edgebudget.fit.fitting import Fitting
from pytest_edgebudget.fit.hands import Hands
from pytest_edgebudget.fit.result import Fit as Fit
from pytest_edgebudget.fit.search import Search
from pytest_edgebudget.fit.tuning import tuning_of
from pytest_edgebudget.lock import LockEntry
from pytest_edgebudget.measure import Wanted, measure
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.metrics.own import own_metric
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.plan import candidates
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Artifact, Limit, Missing, ModelBudget, Reading, Recipe, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitter:
    """
    Fits models for one device; *say* is told what takes long, *tried* each candidate.

    *hands*: who builds and measures for a search; None: this process does.
    """

    device: Device
    store: Store
    root: Path
    metrics: Mapping[str, Metric]
    passes: Mapping[str, Pass]
    rules: Rules
    optimize: bool = True
    say: Callable[[str], None] = lambda text: None
    tried: Callable[[Trial], None] = lambda trial: None
    hands: Callable[[Bench], Hands | None] = lambda bench: None

    def fit(self, model: ModelBudget, lock: LockEntry | None) -> Fit:
        """
        Find the candidate that keeps every limit of *model*.

        When there is none, the closest one's readings are judged: broken.
        Raises `BuildError` when no candidate could be built, `DeviceError` when
        a worker failed, `ModelError` for damaged files.
        """
        locked = lock.recipe if lock else None
        if model.fit is not None and self.optimize:
            return Fitting(self._bench(model, lock)).run(self._locked(locked), locked=locked)
        recipes = candidates(model, locked=locked, optimize=self.optimize)
        return Search(self._bench(model, lock)).run(recipes, locked=locked)

    def _locked(self, text: str | None) -> tuple[Recipe, ...]:
        """The recipe that a search found before, if its passes are still there."""
        try:
            return (parse_recipe(text, self.passes),) if text else ()
        except ValueError:
            return ()

    def _bench(self, model: ModelBudget, lock: LockEntry | None) -> Bench:
        own = {own.name: own_metric(own, self.root) for own in model.own_metrics}
        source = source_artifact(
            model, formats=self.device.formats, root=self.root, store=self.store
        )
        source = replace(source, tuning=tuning_of(model, self.device, source.format))
        data = load_data(model.data, root=self.root, store=self.store) if model.data else None
        bench = Bench(
            model=model,
            source=source,
            data=data,
            lock=lock,
            device=self.device,
            metrics={**self.metrics, **own},
            passes=self.passes,
            rules=self.rules,
            store=self.store,
            root=self.root,
            say=self.say,
            tried=self.tried,
        )
        searched = self.optimize and (model.fit is not None or len(model.optimize) > 1)
        hands = self.hands(bench) if searched else None
        return replace(bench, hands=hands, say=_one_at_a_time(self.say)) if hands else bench

    def read(self, artifact: Artifact, limit: Limit) -> Reading | Missing:
        """One metric of an artifact that needs no run, for joint limits."""
        metric = self.metrics[limit.metric]
        wanted = Wanted(limit.name, metric, {**metric.defaults(), **dict(limit.options)})
        reading = measure(
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
        return found(reading, limit)


def _one_at_a_time(say: Callable[[str], None]) -> Callable[[str], None]:
    """*say* for several threads."""
    lock = threading.Lock()

    def say_alone(text: str) -> None:
        with lock:
            say(text)

    return say_alone
