"""`luts`: look-up tables that a model takes of an FPGA."""

from __future__ import annotations

from pytest_edgebudget.facts import SynthesisFacts
from pytest_edgebudget.metrics._logic import cells
from pytest_edgebudget.metrics.base import PLANNED, Metric, Options, Value
from pytest_edgebudget.types import Better, Unit


def read(facts: SynthesisFacts, options: Options) -> Value:
    """
    Look-up tables (LUT4, those of carry chains among them) of the model as logic.

    Unit: count. Lower is better. da4ml writes the fixed-point model as a fully
    pipelined design of adders, which Yosys and nextpnr-ecp5 place and route: the
    very tools that make bitstreams for this chip. Exact for these versions of
    them; Vitis makes other logic of the same model. The model alone: no pins, no
    memory for samples, nothing that feeds it. Experimental.
    """
    return cells(facts, "luts")


METRIC = Metric(
    name="luts",
    unit=Unit.COUNT,
    better=Better.LOWER,
    needs=SynthesisFacts,
    read=read,
    accepts=PLANNED,
    additive=True,
)
