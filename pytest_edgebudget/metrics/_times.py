"""What the metrics of time share: the option *runs*, the tail quantiles, the note."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import EstimatedCost, Timings
from pytest_edgebudget.metrics.base import Option, Value
from pytest_edgebudget.stats import quantile, quantile_interval
from pytest_edgebudget.types import Evidence, Unit
from pytest_edgebudget.units import format_value


def runs_option(default: int) -> Option:
    """How many timed runs the metric needs at least."""
    return Option("runs", int, default, "timed runs, at least")


def estimated(cost: EstimatedCost) -> Value:
    """An estimate, as it is."""
    return Value(
        cost.value, cost.low, cost.high, cost.note, cost.layers, evidence=Evidence.ESTIMATED
    )


def tail(name: str, timings: Timings, q: float, needed: int) -> Value:
    """
    The *q*-quantile of all runs, with its interval by order statistics.

    Raises ModelError when the runs are too few to bound it.
    """
    runs = timings.runs
    interval = quantile_interval(runs, q)
    if interval is None:
        raise ModelError(
            f"{name} needs {needed} runs to be bounded, and there was time for {len(runs)}"
        )
    return Value(quantile(runs, q), *widened(interval, timings), spread(timings))


def widened(bounds: Iterable[float], timings: Timings) -> tuple[float, float]:
    """Least and greatest of *bounds*, further apart for a device that was busy or hot."""
    values = tuple(bounds)
    return min(values) * (1 - timings.widen), max(values) * (1 + timings.widen)


def spread(timings: Timings) -> str:
    """Such as "min 2.87 us, median 2.93 us, 9000 runs of 5 workers"."""
    runs = timings.runs
    shortest, middle = (format_value(value, Unit.SECONDS) for value in (min(runs), median(runs)))
    words = [
        f"min {shortest}, median {middle}",
        f"{len(runs)} runs of {len(timings.workers)} workers",
    ]
    if timings.set_aside:
        workers = "worker" if timings.set_aside == 1 else "workers"
        words.append(f"{timings.set_aside} slow {workers} set aside")
    return ", ".join([*words, *timings.notes])
