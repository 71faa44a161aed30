"""`flip_flops`: flip-flops that a model takes of an FPGA."""

from __future__ import annotations

from pytest_edgebudget.facts import SynthesisFacts
from pytest_edgebudget.metrics._logic import cells
from pytest_edgebudget.metrics.base import PLANNED, Metric, Options, Value
from pytest_edgebudget.types import Better, Unit


def read(facts: SynthesisFacts, options: Options) -> Value:
    """
    Flip-flops of the model as logic: the registers of its pipeline.

    Unit: count. Lower is better. Of the same design as ``luts``. Experimental.
    """
    return cells(facts, "flip_flops")


METRIC = Metric(
    name="flip_flops",
    unit=Unit.COUNT,
    better=Better.LOWER,
    needs=SynthesisFacts,
    read=read,
    accepts=PLANNED,
    additive=True,
)
