"""`latency_p95`: the time that 95 % of inferences keep."""

from __future__ import annotations

from pytest_edgebudget.facts import Timings
from pytest_edgebudget.metrics._times import runs_option, tail
from pytest_edgebudget.metrics.base import PHYSICS, Metric, Options, Value
from pytest_edgebudget.types import Better, Unit

RUNS = 59


def read(timings: Timings, options: Options) -> Value:
    """
    The 95th percentile of the time of the invoke alone, in seconds.

    Timed as `latency` is, with at least 59 runs: fewer cannot bound this
    percentile at 95 %.

    Interval: order statistics, which assume nothing about the noise.

    Source: Conover, "Practical Nonparametric Statistics", 3rd ed., 3.2.
    """
    return tail("latency_p95", timings, 0.95, RUNS)


METRIC = Metric(
    name="latency_p95",
    unit=Unit.SECONDS,
    better=Better.LOWER,
    needs=Timings,
    read=read,
    accepts=PHYSICS,
    noisy=True,
    options=(runs_option(RUNS),),
)
