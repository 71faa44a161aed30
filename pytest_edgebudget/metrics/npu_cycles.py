"""`npu_cycles`: cycles of an inference on the NPU, as its compiler estimates them."""

from __future__ import annotations

from pytest_edgebudget.facts import NpuFacts
from pytest_edgebudget.metrics._npu import note, running
from pytest_edgebudget.metrics.base import PLANNED, Metric, Options, Value
from pytest_edgebudget.types import Better, Evidence, Unit


def read_cycles(facts: NpuFacts, options: Options) -> Value:
    """
    Cycles of the NPU's clock for one inference, by the compiler's own estimate.

    Unit: cycles. Lower is better. NPU only: operators that fall back on the CPU,
    and the driver, are not in it. It counts waiting for memory, of the system
    that the profile names (``vela_system``, ``vela_memory``). The layers are the
    operators with the most cycles.

    It is the figure of one version of the compiler, the same at every run, and
    has no interval: how far a chip is from it is not published, and Vela itself
    sends those who want performance numbers to an FVP or an FPGA. Compare models
    and settings with it.

    Source: ethos-u-vela, "cycles_total" of its summary.
    """
    cycles = running(facts).cycles
    return Value(cycles, cycles, cycles, note(facts), facts.layers, Evidence.ESTIMATED)


METRIC = Metric(
    name="npu_cycles",
    unit=Unit.COUNT,
    better=Better.LOWER,
    needs=NpuFacts,
    read=read_cycles,
    accepts=PLANNED,
    additive=True,
)
