"""
The one stateful object of a run: budgets read, locks, models fitted, rows found.

The pytest plugin, the command line and the fixture all go through it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_edgebudget import devices
from pytest_edgebudget.against.pasts import Pasts
from pytest_edgebudget.blame import blame
from pytest_edgebudget.budget import read_budget
from pytest_edgebudget.budget.runs import unknown_runs, with_run
from pytest_edgebudget.devices import Device
from pytest_edgebudget.devices.recipes import recipes_of
from pytest_edgebudget.errors import BudgetError, EdgeBudgetError, Mistake
from pytest_edgebudget.fit import Fit, Fitter
from pytest_edgebudget.fit.bench import Bench, Rules
from pytest_edgebudget.fit.hands import Hands
from pytest_edgebudget.groups import judge_group
from pytest_edgebudget.history.keeper import Keeper
from pytest_edgebudget.lock import Lock, LockEntry, read_lock
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.metrics.own import own_metric
from pytest_edgebudget.recorder import Found, Recorder
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.relock import write_locks, written_down
from pytest_edgebudget.report.base import FileRow, ModelRow, Run
from pytest_edgebudget.report.findings import lint_row
from pytest_edgebudget.report.rows import limit_row, model_row
from pytest_edgebudget.settings import read_settings
from pytest_edgebudget.store import Store
from pytest_edgebudget.telling import Teller
from pytest_edgebudget.types import (
    Artifact,
    Budget,
    GroupBudget,
    Limit,
    Measurement,
    ModelBudget,
    Trial,
    Verdict,
)

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from pytest_edgebudget.cluster.team import Team
    from pytest_edgebudget.lint.base import Rule
    from pytest_edgebudget.lint.result import FileResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the user asked for on the command line."""

    strict: bool = False
    optimize: bool = True
    relock: bool = False
    fill: bool = False
    against: str = ""
    runs: Mapping[str, str] = field(default_factory=dict)
    cluster: str = ""
    workers: int | None = None


@dataclass(slots=True)
class GateSession:
    """
    Budgets and what became of them. *say* is told what takes long.

    *rules*: the linter's rules of extensions; None for those of entry points.
    *executor*: of an extension, to build and measure for searches.
    """

    root: Path
    registry: Registry
    choices: Choices = field(default_factory=Choices)
    say: Callable[[str], None] = lambda text: None
    observe: Callable[[Verdict], None] = lambda verdict: None
    measured: Callable[[Artifact, Measurement], None] = lambda artifact, measurement: None
    rules: Callable[[], tuple[Rule, ...]] | None = None
    executor: Callable[[], Executor | None] = lambda: None
    budgets: dict[Path, Budget] = field(default_factory=dict)
    recorder: Recorder = field(default_factory=Recorder)
    _locks: dict[Path, Lock] = field(default_factory=dict)
    _fits: dict[tuple[Path, str], Fit | EdgeBudgetError] = field(default_factory=dict)
    _lints: dict[tuple[Path, str], FileResult] = field(default_factory=dict)
    _devices: dict[Path, Device] = field(default_factory=dict)
    _store: Store | None = None
    _keeper: Keeper = field(default_factory=Keeper)
    _past: Pasts | None = None
    _team: Team | None = None

    def read(self, paths: Iterable[Path]) -> None:
        """
        Read budget files, their locks and the project's settings.

        Raises `BudgetError` with the mistakes of all files at once, and
        `EdgeBudgetError` for a damaged lock or a wrong setting.
        """
        read_settings(self.root)
        mistakes: list[Mistake] = []
        for path in paths:
            if path in self.budgets:
                continue
            try:
                budget = read_budget(path, self.registry, root=self.root)
                self._check_codes(budget)
                budget = with_run(budget, self.choices.runs, self.registry.ways)
                self._locks[path] = read_lock(path)
                self.budgets[path] = budget
            except BudgetError as error:
                mistakes += error.mistakes
        if mistakes:
            raise BudgetError([self._relative(mistake) for mistake in mistakes])

    def check_runs(self) -> None:
        """
        Whether every place to run that was asked for belongs to something.

        Raises `EdgeBudgetError` for a name that is no budget's and no profile's.
        """
        runs, profiles = self.choices.runs, self.registry.profiles
        if said := unknown_runs(runs, self.budgets.values(), profiles):
            raise EdgeBudgetError(said)

    def _check_codes(self, budget: Budget) -> None:
        """A code that no rule has would turn the linter off without a word."""
        if budget.lint.places:
            from pytest_edgebudget.lint.chosen import chosen

            chosen(budget)

    def _relative(self, mistake: Mistake) -> Mistake:
        place = replace(mistake.place, file=Path(self.name(mistake.place.file)))
        return replace(mistake, place=place)

    def name(self, path: Path) -> str:
        """A file as messages and ids show it: relative to the root where it can be."""
        return (
            path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)
        )

    @property
    def store(self) -> Store:
        """The cache of this project, opened on first use."""
        if self._store is None:
            settings = read_settings(self.root)
            self._store = Store(settings.cache, settings.cache_limit)
        return self._store

    def device(self, budget: Budget) -> Device:
        """The device of a budget file."""
        if budget.path not in self._devices:
            self._devices[budget.path] = devices.open_device(budget.device, self.registry.ways)
        return self._devices[budget.path]

    def close(self) -> None:
        """End whatever the devices kept running; they may be used again."""
        if self._team is not None:
            self._team.close()
            self._team = None
        for device in self._devices.values():
            device.close()
        self._keeper.close()
        if self._past is not None:
            self._past.close()

    @property
    def past(self) -> Pasts:
        """What this run is compared with."""
        if self._past is None:
            self._past = Pasts(
                text=self.choices.against,
                root=self.root,
                registry=self.registry,
                store=lambda: self.store,
                say=self.say,
                strict=self.choices.strict,
            )
        return self._past

    def record(self, found: Found) -> None:
        """Take in what an item found; its reading goes into the history at once."""
        self.recorder.add(found)
        self._keeper.add(self.root, found.limit, found.model)

    def fit(self, budget: Budget, model: ModelBudget) -> Fit:
        """
        Fit a model, once a session; an error is remembered and raised again.

        Raises `EdgeBudgetError` when infrastructure failed.
        """
        key = budget.path, model.name
        if key not in self._fits:
            try:
                fit = self._fitter(budget).fit(model, self._locked(budget, model.name))
                self._fits[key] = fit
                self.measured(fit.artifact, fit.after)
            except EdgeBudgetError as error:
                self._fits[key] = error
        if isinstance(found := self._fits[key], EdgeBudgetError):
            raise found
        return found

    def search(self, budget: Budget, model: ModelBudget, tried: Callable[[Trial], None]) -> Fit:
        """
        Search for *model*'s recipe anew, whatever the lock says; *tried* gets each candidate.

        Raises `EdgeBudgetError` when infrastructure failed.
        """
        lock = self._locked(budget, model.name)
        entry = replace(lock, recipe="") if lock else None  # its readings count, its choice not
        return replace(self._fitter(budget), tried=tried).fit(model, entry)

    def _fitter(self, budget: Budget) -> Fitter:
        return Fitter(
            device=self.device(budget),
            store=self.store,
            root=self.root,
            metrics=self.registry.metrics,
            passes=self.registry.passes,
            rules=Rules(
                today=date.today(),
                strict=self.choices.strict,
                relock=self.choices.relock or bool(self.choices.against),
                fill=self.choices.fill,
            ),
            optimize=self.choices.optimize,
            say=self.say,
            hands=self._hands,
        )

    def _hands(self, bench: Bench) -> Hands | None:
        """Who builds and measures for a search, where somebody was asked to."""
        settings, asked = read_settings(self.root), self.choices
        alone = not asked.cluster and asked.workers is None
        cluster = settings.cluster if alone else asked.cluster
        workers = settings.workers if alone else asked.workers or 0
        if self._team is None:
            executor = None if cluster or workers else self.executor()
            if not cluster and workers < 2 and executor is None:
                return None
            from pytest_edgebudget.cluster.opening import open_team

            self._team = open_team(cluster=cluster, workers=workers, executor=executor)
        from pytest_edgebudget.cluster.crew import Crew

        return Crew(self._team, bench) if self._team is not None else None

    def _locked(self, budget: Budget, model: str) -> LockEntry | None:
        return self._locks[budget.path].entries.get(model)

    def metric(self, model: ModelBudget | GroupBudget, name: str) -> Metric:
        """A metric by name, the model's own ones included."""
        own = model.own_metrics if isinstance(model, ModelBudget) else ()
        for metric in own:
            if metric.name == name:
                return own_metric(metric, self.root)
        return self.registry.metrics[name]

    def judge(self, budget: Budget, model: ModelBudget, limit: Limit) -> Found:
        """One limit's verdict. Fits the model when that has not happened yet."""
        fit = self.fit(budget, model)
        verdict = next(v for v in fit.verdicts if v.limit.name == limit.name)
        metric = self.metric(model, limit.metric)
        judged = self.past.judge(verdict, metric, budget, fit, self.device(budget))
        verdict = written_down(judged.verdict, self._locked(budget, model.name), self.choices)
        self.observe(verdict)
        why, file = blame(verdict, metric, fit.artifact), self.name(budget.path)
        row = limit_row(verdict, metric, file=file, blame=why)
        changed, fixes = self._teller(budget, fit).told(verdict, metric)
        return Found(
            limit=replace(
                row, against=judged.against, anchor=judged.anchor, changed=changed, fixes=fixes
            ),
            model=self._row(budget, fit),
            lock=_entry(fit) if fit.kept else None,
        )

    def _teller(self, budget: Budget, fit: Fit) -> Teller:
        return Teller(
            budget=budget,
            fit=fit,
            device=self.device(budget),
            entry=self._locked(budget, fit.model.name),
            past=self.past,
            passes=self.registry.passes,
            store=self.store,
            root=self.root,
            linted=lambda: self._linted(budget, fit.model),
        )

    def judge_group(self, budget: Budget, group: GroupBudget, limit: Limit) -> Found:
        """One joint limit's verdict, over the artifacts of all its models."""
        fitter = self._fitter(budget)
        fits = [self.fit(budget, model) for model in budget.models if model.name in group.models]
        metric = self.registry.metrics[limit.metric]
        parts = {fit.model.name: fitter.read(fit.artifact, limit) for fit in fits}
        verdict = judge_group(
            group, limit, metric, parts, today=date.today(), strict=self.choices.strict
        )
        self.observe(verdict)
        file = self.name(budget.path)
        return Found(
            limit=limit_row(verdict, metric, file=file, blame=blame(verdict, metric, None))
        )

    def lint(self, budget: Budget, model: ModelBudget) -> Found:
        """
        What the linter says of the model's artifact. Fits the model when need be.

        Raises `EdgeBudgetError` when a rule failed: nothing is known then.
        """
        fit, result = self.fit(budget, model), self._linted(budget, model)
        if result.crashes:
            raise EdgeBudgetError("\n".join(result.crashes), "a mistake of ours: please report it")
        file = self.name(budget.path)
        return Found(
            lint=lint_row(result.found, budget, model, file=file),
            model=self._row(budget, fit),
        )

    def _linted(self, budget: Budget, model: ModelBudget) -> FileResult:
        """What the linter says of the model's artifact, asked once."""
        from pytest_edgebudget.lint.artifact import lint_artifact

        key = budget.path, model.name
        if key not in self._lints:
            path = self.fit(budget, model).artifact.runs_as
            extra = self.rules() if self.rules else None
            self._lints[key] = lint_artifact(path, budget, model, root=self.root, extra=extra)
        return self._lints[key]

    def _row(self, budget: Budget, fit: Fit) -> ModelRow:
        return model_row(
            fit,
            self.registry.metrics,
            file=self.name(budget.path),
            lock=self._locked(budget, fit.model.name),
            recipes=recipes_of(budget.device),
        )

    def lint_fails(self, budget: Budget, model: ModelBudget) -> bool:
        """Whether the linter finds errors in the model's artifact that fail its item."""
        row = self.lint(budget, model).lint
        return row is not None and row.fails

    def run(self) -> Run:
        """Everything that was found so far."""
        ids = [
            f"{self.name(budget.path)}::{part.name}::{limit}"
            for budget in self.budgets.values()
            for part in budget.parts
            for limit in (*(each.name for each in part.limits), "lint")
        ]
        files = [self.file_row(budget) for budget in self.budgets.values()]
        return replace(self.recorder.run(files, ids), root=str(self.root))

    def file_row(self, budget: Budget) -> FileRow:
        """A budget file as headers and reports show it."""
        choice = budget.device
        return FileRow(
            file=self.name(budget.path),
            profile=choice.profile.name,
            run=choice.run,
            threads=choice.threads,
            runtimes=self._runtimes(budget),
            beside=self.device(budget).choice.beside,
        )

    def _runtimes(self, budget: Budget) -> dict[str, str]:
        """Runtimes that this budget's models need, with their versions where they are there."""
        device = self.device(budget)
        kinds = {getattr(model.source, "suffix", "").removeprefix(".") for model in budget.models}
        formats = [kind for kind in device.formats if kind in kinds] or device.formats[:1]
        found = {}
        for kind in formats:
            # A runtime that is missing is told by whoever needs it.
            with contextlib.suppress(EdgeBudgetError):
                identity = device.identity(kind)
                found[identity.runtime] = identity.version
        return found

    def repairs(self) -> list[str]:
        """What was found damaged and made anew, and what the history has to say: a line each."""
        return [*(self._store.repairs if self._store else ()), *self._keeper.told()]

    def write_locks(self) -> list[Path]:
        """Write what was chosen and read into the locks; returns the files that changed."""
        return write_locks(
            self.budgets, self._locks, self.recorder, self.name, fill=self.choices.fill
        )


def _entry(fit: Fit) -> LockEntry:
    return LockEntry(str(fit.artifact.recipe), fit.artifact.sha256, fit.after.readings)
