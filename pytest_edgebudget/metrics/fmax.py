"""`fmax`: how fast the logic of a model may be clocked."""

from __future__ import annotations

from statistics import median

from pytest_edgebudget.facts import SynthesisFacts
from pytest_edgebudget.metrics._logic import note
from pytest_edgebudget.metrics.base import PLANNED, Metric, Options, Value
from pytest_edgebudget.types import Better, Evidence, Unit


def read(facts: SynthesisFacts, options: Options) -> Value:
    """
    The fastest clock of the model as logic, after routing.

    Unit: hertz. Higher is better. Of the same design as ``luts``: nextpnr-ecp5's
    timing analysis with Project Trellis' delays for the slowest speed grade. Value:
    the middle of three placements. Interval: the slowest and the fastest of them,
    which says nothing of how far the delays are from a chip's. Experimental.
    """
    clocks = facts.clocks
    return Value(median(clocks), min(clocks), max(clocks), note(facts), evidence=Evidence.ESTIMATED)


METRIC = Metric(
    name="fmax",
    unit=Unit.HERTZ,
    better=Better.HIGHER,
    needs=SynthesisFacts,
    read=read,
    accepts=PLANNED,
    noisy=True,
)
