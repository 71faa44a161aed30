"""`latency`: the median time of an inference."""

from __future__ import annotations

from statistics import median

from pytest_edgebudget.facts import EstimatedCost, Timings
from pytest_edgebudget.metrics._times import estimated, runs_option, spread, widened
from pytest_edgebudget.metrics.base import PHYSICS, Metric, Options, Value
from pytest_edgebudget.stats import quantile_interval
from pytest_edgebudget.types import Better, Unit


def read(timings: Timings | EstimatedCost, options: Options) -> Value:
    """
    The median time of the invoke alone, in seconds, with the input in place.

    Several fresh workers are timed in turns, in blocks and in random order,
    while nothing else of ours runs on the machine; the value is the median of
    all their runs. Pre- and post-processing do not count, nor do the first runs.

    A worker whose fastest block takes more than 1.25 times as long as is usual
    among the workers is set aside and replaced, and the note says so: on a
    shared machine a process can be slow for all its life.

    Interval: from the smallest to the largest of the workers' medians, and the
    95 % interval of the median by order statistics, which assumes nothing
    about the noise. A board that was throttled or busy meanwhile has a wider
    one, and the note says why.

    Where the device is not at hand, it is estimated from what was published of
    it or of its core, by the model's operators: the note says from which rows,
    and the interval holds 80 % of models of families that were not among them.

    Source: Conover, "Practical Nonparametric Statistics", 3rd ed., 3.2.
    """
    if isinstance(timings, EstimatedCost):
        return estimated(timings)
    medians = [median(worker) for worker in timings.workers]
    bounds = (*medians, *(quantile_interval(timings.runs, 0.5) or ()))
    return Value(median(timings.runs), *widened(bounds, timings), spread(timings))


METRIC = Metric(
    name="latency",
    unit=Unit.SECONDS,
    better=Better.LOWER,
    needs=Timings,
    read=read,
    accepts=PHYSICS,
    noisy=True,
    additive=True,
    estimable=True,
    options=(runs_option(15),),
)
