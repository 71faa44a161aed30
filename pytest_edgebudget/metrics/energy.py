"""`energy`: what an inference takes above idle."""

from __future__ import annotations

from statistics import mean, median

from pytest_edgebudget.facts import EnergyFacts, EstimatedCost
from pytest_edgebudget.metrics._times import estimated
from pytest_edgebudget.metrics.base import PHYSICS, Metric, Options, Value
from pytest_edgebudget.types import Better, Unit


def read(energy: EnergyFacts | EstimatedCost, options: Options) -> Value:
    """
    Joules of one inference above idle, by the device's own sensor.

    (energy of N inferences - idle power x their time) / N, in five repetitions
    of at least two seconds each. Idle power is measured before and after them,
    with the worker waiting. The note names the power domain: the whole board,
    one rail, or the CPU alone, and numbers of different domains are never
    compared.

    Value: the median of the repetitions, above the mean idle power. Interval:
    the least and the most of them, above either idle power; wider where the
    board was throttled or busy meanwhile.

    Where the device is not at hand: the power that was published of it while
    it runs such models, times the estimated latency. The note says what that
    power is of: of microcontrollers all that the chip draws, idle included.
    Nothing is made of multiply-accumulates times picojoules.
    """
    if isinstance(energy, EstimatedCost):
        return estimated(energy)
    value = median(energy.above(mean(energy.idle)))
    found = [joules for idle in energy.idle for joules in energy.above(idle)]
    watts = f"{energy.watts:.3g} W running, {mean(energy.idle):.3g} W idle"
    repeats = f"{len(energy.windows)} x {energy.runs} inferences"
    return Value(
        max(0.0, value),
        max(0.0, min(found)) * (1 - min(1.0, energy.widen)),
        max(found) * (1 + energy.widen),
        ", ".join([energy.domain, watts, repeats, *energy.notes]),
    )


METRIC = Metric(
    name="energy",
    unit=Unit.JOULES,
    better=Better.LOWER,
    needs=EnergyFacts,
    read=read,
    accepts=PHYSICS,
    noisy=True,
    additive=True,
    estimable=True,
)
