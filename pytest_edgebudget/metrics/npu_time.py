"""`npu_time`: time of an inference on the NPU, as its compiler estimates it."""

from __future__ import annotations

from dataclasses import replace

from pytest_edgebudget.facts import NpuFacts
from pytest_edgebudget.metrics._npu import note, running
from pytest_edgebudget.metrics.base import PLANNED, Metric, Options, Value
from pytest_edgebudget.types import Better, Evidence, Unit


def read_time(facts: NpuFacts, options: Options) -> Value:
    """
    Seconds of one inference on the NPU: ``npu_cycles`` by the clock of its system.

    Unit: seconds. Lower is better. NPU only: operators that fall back on the CPU,
    and the driver, are not in it, so that it is no ``latency``. The clock is the
    one of the profile's ``vela_system``, and the note has it.

    As ``npu_cycles`` it is the figure of one version of the compiler, without an
    interval.

    Source: ethos-u-vela, "inference_time" of its summary.
    """
    seconds, clock = running(facts).seconds, facts.clock
    layers = tuple(replace(layer, value=layer.value / clock) for layer in facts.layers)
    told = note(facts, f"at {clock / 1e6:g} MHz")
    return Value(seconds, seconds, seconds, told, layers, Evidence.ESTIMATED)


METRIC = Metric(
    name="npu_time",
    unit=Unit.SECONDS,
    better=Better.LOWER,
    needs=NpuFacts,
    read=read_time,
    accepts=PLANNED,
    additive=True,
)
