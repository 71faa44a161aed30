"""`dsps`: multipliers that a model takes of an FPGA."""

from __future__ import annotations

from pytest_edgebudget.facts import SynthesisFacts
from pytest_edgebudget.metrics._logic import cells
from pytest_edgebudget.metrics.base import PLANNED, Metric, Options, Value
from pytest_edgebudget.types import Better, Unit


def read(facts: SynthesisFacts, options: Options) -> Value:
    """
    Hard multipliers (MULT18X18D on an ECP5) of the model as logic.

    Unit: count. Lower is better. Of the same design as ``luts``: da4ml makes
    products by constants of adders, so that it takes none. Experimental.
    """
    return cells(facts, "dsps")


METRIC = Metric(
    name="dsps",
    unit=Unit.COUNT,
    better=Better.LOWER,
    needs=SynthesisFacts,
    read=read,
    accepts=PLANNED,
    additive=True,
)
