"""`latency_p99`: the time that 99 % of inferences keep."""

from __future__ import annotations

from pytest_edgebudget.facts import Timings
from pytest_edgebudget.metrics._times import runs_option, tail
from pytest_edgebudget.metrics.base import PHYSICS, Metric, Options, Value
from pytest_edgebudget.types import Better, Unit

RUNS = 299


def read(timings: Timings, options: Options) -> Value:
    """
    The 99th percentile of the time of the invoke alone, in seconds.

    Timed as `latency` is, with at least 299 runs: fewer cannot bound this
    percentile at 95 %.

    Interval: order statistics, which assume nothing about the noise.

    Source: Conover, "Practical Nonparametric Statistics", 3rd ed., 3.2.
    """
    return tail("latency_p99", timings, 0.99, RUNS)


METRIC = Metric(
    name="latency_p99",
    unit=Unit.SECONDS,
    better=Better.LOWER,
    needs=Timings,
    read=read,
    accepts=PHYSICS,
    noisy=True,
    options=(runs_option(RUNS),),
)
