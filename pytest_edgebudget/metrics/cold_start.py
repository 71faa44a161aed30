"""`cold_start`: from a worker that is ready to its first output."""

from __future__ import annotations

from statistics import median

from pytest_edgebudget.facts import StartupFacts
from pytest_edgebudget.metrics.base import PHYSICS, Metric, Options, Value
from pytest_edgebudget.types import Better, Unit


def read(startup: StartupFacts, options: Options) -> Value:
    """
    Seconds from "worker ready" to the first output: load, allocate, invoke once.

    The worker is ready when its runtime is imported; the model's file is in
    the page cache, as it is after an update or an earlier start. Value: the
    median of fresh workers. Interval: the fastest and the slowest of them.
    """
    return Value(
        median(startup.seconds),
        min(startup.seconds),
        max(startup.seconds),
        f"{len(startup.seconds)} fresh workers",
    )


METRIC = Metric(
    name="cold_start",
    unit=Unit.SECONDS,
    better=Better.LOWER,
    needs=StartupFacts,
    read=read,
    accepts=PHYSICS,
    noisy=True,
    additive=True,
)
