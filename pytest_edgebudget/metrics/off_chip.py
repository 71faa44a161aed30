"""`off_chip`: parameters that an accelerator fetches anew in each inference."""

from __future__ import annotations

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.facts import PlacementFacts
from pytest_edgebudget.metrics.base import PLANNED, Metric, Options, Value
from pytest_edgebudget.types import Better, Unit


def read_off_chip(placement: PlacementFacts, options: Options) -> Value:
    """
    Bytes of parameters that do not fit into the accelerator's own memory.

    Unit: bytes. Lower is better. They go through USB, PCIe or the shared bus in
    each inference, which on an Edge TPU costs more time than the arithmetic.

    The compiler's own figure where it is installed. Else estimated: the
    parameters of the operators that run on the accelerator, less its memory; the
    note says what the ends are, and a limit in between is undecided.

    Source: Coral documentation, Edge TPU compiler, "Parameter data caching".
    """
    band = placement.off_chip
    if band is None:
        raise CannotTell(
            f"how much {placement.accelerator} keeps of a model's parameters is not known"
        )
    notes = "; ".join(placement.notes)
    return Value(band.value, band.low, band.high, note=notes, evidence=placement.evidence)


METRIC = Metric(
    name="off_chip",
    unit=Unit.BYTES,
    better=Better.LOWER,
    needs=PlacementFacts,
    read=read_off_chip,
    accepts=PLANNED,
)
