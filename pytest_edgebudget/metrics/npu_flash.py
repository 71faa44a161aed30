"""`npu_flash`: the constants that an NPU reads from flash or DRAM."""

from __future__ import annotations

from pytest_edgebudget.facts import NpuFacts
from pytest_edgebudget.metrics._npu import running
from pytest_edgebudget.metrics.base import PLANNED, Metric, Options, Value
from pytest_edgebudget.types import Better, Evidence, Unit


def read_flash(facts: NpuFacts, options: Options) -> Value:
    """
    Bytes outside of the SRAM that the NPU reads: its weights, compressed as it takes them.

    Unit: bytes. Lower is better. In flash, or in DRAM together with activations
    that are there, as the profile's ``vela_memory`` says. The NPU's commands, and
    weights of operators on the CPU, are not in it: the note has the size of the
    whole file that is compiled, which ``size`` of the pass ``vela`` gates.

    Source: ethos-u-vela, "Total Off-chip Flash used" (or DRAM) of its summary.
    """
    flash = running(facts).flash
    told = "; ".join((facts.tool, *facts.notes))
    return Value(flash, flash, flash, told, evidence=Evidence.ESTIMATED)


METRIC = Metric(
    name="npu_flash",
    unit=Unit.BYTES,
    better=Better.LOWER,
    needs=NpuFacts,
    read=read_flash,
    accepts=PLANNED,
    additive=True,
)
