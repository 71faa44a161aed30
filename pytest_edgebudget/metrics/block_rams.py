"""`block_rams`: memory blocks that a model takes of an FPGA."""

from __future__ import annotations

from pytest_edgebudget.facts import SynthesisFacts
from pytest_edgebudget.metrics._logic import cells
from pytest_edgebudget.metrics.base import PLANNED, Metric, Options, Value
from pytest_edgebudget.types import Better, Unit


def read(facts: SynthesisFacts, options: Options) -> Value:
    """
    Memory blocks (DP16KD of 18 Kb on an ECP5) of the model as logic.

    Unit: count. Lower is better. Of the same design as ``luts``: weights are wired
    into adders and take none, tables of activations may. Experimental.
    """
    return cells(facts, "block_rams")


METRIC = Metric(
    name="block_rams",
    unit=Unit.COUNT,
    better=Better.LOWER,
    needs=SynthesisFacts,
    read=read,
    accepts=PLANNED,
    additive=True,
)
