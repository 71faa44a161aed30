"""``edgebudget fit MODEL --budget FILE -o OUT``."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

from pytest_edgebudget.budget.fit_table import check_objective
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.explain.plot import check_suffix, write_picture
from pytest_edgebudget.fit import Fit
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.pareto import plot, text
from pytest_edgebudget.report.rows import model_row, trial_row, units_of
from pytest_edgebudget.session import Choices, GateSession
from pytest_edgebudget.settings import check_cluster, check_workers
from pytest_edgebudget.types import Budget, FitChoice, ModelBudget, Trial, Unit
from pytest_edgebudget.units import parse


def choices(options: argparse.Namespace) -> Choices:
    """Who builds and measures. Raises `EdgeBudgetError` for what cannot be."""
    cluster, workers = options.cluster or "", options.workers
    if cluster:
        check_cluster(cluster, "--cluster")
    if workers is not None:
        check_workers(workers, "--workers")
    return Choices(cluster=cluster, workers=workers)


def fit(
    options: argparse.Namespace, session: GateSession, tell: Callable[[str], None]
) -> tuple[str, bool]:
    """
    Search; return what is printed, and whether every limit is kept.

    *tell* is told each candidate as soon as it is known. Raises `EdgeBudgetError`.
    """
    if options.plot:
        check_suffix(options.plot)
    session.read([options.budget.resolve()])
    (budget,) = session.budgets.values()
    model = _asked(options, _named(options.model, budget), session.registry.metrics)
    units = units_of(model, session.registry.metrics)

    def tried(trial: Trial) -> None:
        tell(text.line(trial_row(trial, units)))

    with closing(session):
        found = session.search(budget, model, tried)
    return _written(options, session, budget, found)


def _named(name: str, budget: Budget) -> ModelBudget:
    for model in budget.models:
        if model.name == name:
            return model
    names = ", ".join(model.name for model in budget.models)
    raise EdgeBudgetError(f"{budget.path.name} has no model {name}", f"it has {names}")


def _asked(
    options: argparse.Namespace, model: ModelBudget, metrics: Mapping[str, Metric]
) -> ModelBudget:
    """The model with what the command line asks of the search."""
    choice = model.fit or FitChoice()
    if options.objective is not None:
        choice = replace(choice, objective=options.objective)
    if options.max_trials is not None:
        if options.max_trials < 1:
            raise EdgeBudgetError("--max-trials: at least one candidate must be built")
        choice = replace(choice, max_trials=options.max_trials)
    if options.max_time is not None:
        choice = replace(choice, max_time=_seconds(options.max_time))
    if options.no_train:
        choice = replace(choice, train=False)
    own = {each.name for each in model.own_metrics}
    limits = [limit for limit in model.limits if limit.metric not in own]
    if not own and (said := check_objective(choice, limits, metrics)):
        raise EdgeBudgetError(f"--objective {choice.objective}: {said}")
    return replace(model, fit=choice, optimize=())


def _seconds(words: str) -> float:
    try:
        return parse(words, Unit.SECONDS)
    except ValueError:
        raise EdgeBudgetError(f'--max-time: "{words}" is no time', 'such as "10 min"') from None


def _written(
    options: argparse.Namespace, session: GateSession, budget: Budget, found: Fit
) -> tuple[str, bool]:
    metrics = session.registry.metrics
    row = model_row(found, metrics, file=session.name(budget.path))
    better = {
        limit.name: metrics[limit.metric].better.value
        for limit in found.model.limits
        if limit.metric in metrics
    }
    goal = (found.model.fit or FitChoice()).objective
    if goal in metrics and goal not in better and goal != "accuracy":
        better = {goal: metrics[goal].better.value, **better}
    if options.plot and (picture := plot.draw(row, better)):
        write_picture(picture, options.plot)
    out = _copied(found, options.output) if options.output else None
    if options.format == "json":
        return json.dumps(asdict(row), indent=1) + "\n", found.kept
    return text.summary(row, better, out, cut_short=found.cut_short), found.kept


def _copied(found: Fit, out: Path) -> Path:
    """The artifact where the user wants it, data files beside it."""
    source = found.artifact.path
    out = out if out.suffix else out.with_suffix(source.suffix)
    if out.suffix != source.suffix:
        raise EdgeBudgetError(f"{out}: the artifact is a {source.suffix}", "name the file so")
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, out)
    for file in found.artifact.external:
        shutil.copyfile(file, out.parent / file.relative_to(source.parent))
    return out
