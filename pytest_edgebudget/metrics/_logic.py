"""What the metrics of an FPGA's logic share."""

from __future__ import annotations

from pytest_edgebudget.facts import SynthesisFacts
from pytest_edgebudget.metrics.base import Value
from pytest_edgebudget.types import Evidence

ALONE = "placed and routed alone, fully pipelined"


def cells(facts: SynthesisFacts, name: str) -> Value:
    """How many cells of that name there are, by the tool that would make the bitstream."""
    return Value(facts.cells[name], note=note(facts), evidence=Evidence.EXACT)


def note(facts: SynthesisFacts) -> str:
    """What the number is of."""
    return f"{ALONE} on {facts.chip}; {facts.tool}"
