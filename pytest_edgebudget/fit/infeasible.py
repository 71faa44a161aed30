"""Why nothing fits, in sentences: what binds, how far, and what would do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_edgebudget.fit.bounds import least_size
from pytest_edgebudget.types import Better, Limit, Trial, Unit
from pytest_edgebudget.units import format_value

LOOKED_AT = 6
"""So many candidates are judged in full for what a limit would have to be."""

if TYPE_CHECKING:
    from pytest_edgebudget.fit.fitting import Fitting


def infeasible(search: Fitting, closest: Trial) -> Iterator[str]:
    """What was looked at, how far each limit alone is off, and the nearest candidate."""
    found = [*_proved(search)]
    for name in _binding(search.trials):
        limit = next(each for each in search.bench.model.limits if each.name == name)
        if alone := _alone(search, limit):
            found.append(alone)
    yield _counted(search)  # what was looked at last counts, too
    yield from found
    yield from _loosening(search, closest)


def _counted(search: Fitting) -> str:
    built = [trial for trial in search.trials if trial.state != "skipped"]
    skipped = len(search.trials) - len(built)
    count = "1 candidate was" if len(built) == 1 else f"{len(built)} candidates were"
    said = f"{count} built and none keeps every limit"
    said = f"{said}; {skipped} could not fit and were not built" if skipped else said
    return f"{said}; the search ended at its limit of trials or time" if search.spent() else said


def _binding(trials: Sequence[Trial]) -> list[str]:
    return list(dict.fromkeys(name for trial in trials for name in trial.binding))


def _proved(search: Fitting) -> Iterator[str]:
    """A lower bound of any recipe that keeps all weights."""
    limit = next((each for each in search.bench.model.limits if each.metric == "size"), None)
    if limit is None or limit.max is None:
        return
    trials = [trial for trial in search.trials if "size" in trial.binding]
    bounds = [least_size(search.graph, trial.recipe) for trial in trials]
    least = min((each.size for each in bounds), default=0)
    if trials and len(trials) == len(search.trials) and least > limit.max:
        need = format_value(least, Unit.BYTES)
        have = format_value(limit.max, Unit.BYTES)
        yield f"proved: the weights alone need {need} in the least recipe, the limit is {have}"


def _alone(search: Fitting, limit: Limit) -> str:
    """How far it goes with this limit when all the others are kept."""
    metric = search.bench.metrics[limit.metric]
    higher = metric.better is Better.HIGHER

    def badness(trial: Trial) -> float:
        value = trial.readings[limit.name].value
        return -value if higher else value

    known = [t for t in search.trials if t.artifact is not None and limit.name in t.readings]
    skipped = [t for t in search.trials if t.state == "skipped" and limit.name in t.binding]
    order = [*sorted(known, key=badness), *sorted(skipped, key=lambda trial: trial.excess)]
    for each in order[:LOOKED_AT]:
        trial = search.completed(each)
        if trial.artifact is not None and set(trial.binding) <= {limit.name}:
            value = format_value(trial.readings[limit.name].value, metric.unit)
            which = f"{trial.recipe}, which keeps every other limit"
            return f"{limit.name} {value} would let in {which}"
    return ""


def _loosening(search: Fitting, closest: Trial) -> Iterator[str]:
    """What the nearest candidate reaches where it breaks a limit."""
    words = []
    for name in closest.binding:
        limit = next((each for each in search.bench.model.limits if each.name == name), None)
        reading = closest.readings.get(name)
        if limit is None or reading is None or not math.isfinite(reading.value):
            return
        unit = search.bench.metrics[limit.metric].unit
        words.append(f"{name} {format_value(reading.value, unit)}")
    if words:
        yield f"nearest of all: {closest.recipe}, with {' and '.join(words)}"
