"""`npu_sram`: the SRAM that an NPU works in, as its compiler plans it."""

from __future__ import annotations

from pytest_edgebudget.facts import NpuFacts
from pytest_edgebudget.metrics._npu import running
from pytest_edgebudget.metrics.base import PLANNED, Metric, Options, Value
from pytest_edgebudget.types import Better, Evidence, Unit


def read_sram(facts: NpuFacts, options: Options) -> Value:
    """
    Bytes of SRAM that the compiled model needs, as the compiler laid it out.

    Unit: bytes. Lower is better. Activations, weights that are fetched ahead, and
    results of operators on the CPU in between; all weights where the profile's
    ``vela_memory`` is Sram_Only. What the micro runtime keeps beside it is in
    ``ram``. The pass ``vela(optimise=size)`` trades it against ``npu_cycles``.

    In a group the models use it in turn: the largest counts.

    Source: ethos-u-vela, "Total SRAM used" of its summary.
    """
    sram = running(facts).sram
    told = "; ".join((facts.tool, *facts.notes))
    return Value(sram, sram, sram, told, evidence=Evidence.ESTIMATED, shared=sram)


METRIC = Metric(
    name="npu_sram",
    unit=Unit.BYTES,
    better=Better.LOWER,
    needs=NpuFacts,
    read=read_sram,
    accepts=PLANNED,
    additive=True,
)
