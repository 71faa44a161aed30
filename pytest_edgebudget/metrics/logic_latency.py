"""`logic_latency`: from an input's clock edge to its answer's, in the logic alone."""

from __future__ import annotations

from statistics import median

from pytest_edgebudget.facts import SynthesisFacts
from pytest_edgebudget.metrics._logic import note
from pytest_edgebudget.metrics.base import PLANNED, Metric, Options, Value
from pytest_edgebudget.types import Better, Evidence, Unit


def read(facts: SynthesisFacts, options: Options) -> Value:
    """
    Seconds that an input takes through the model's pipeline, clocked at ``fmax``.

    Unit: seconds. Lower is better. The registers in a row, divided by the clock;
    a new input may enter at every tick. It is optimistic, and no ``latency``: how
    samples come to the FPGA, and answers from it, is not in it. Interval: as that
    of ``fmax``. Experimental.
    """
    times = [facts.stages / clock for clock in facts.clocks]
    told = f"{facts.stages} stages, optimistic: without what feeds them; {note(facts)}"
    return Value(median(times), min(times), max(times), told, evidence=Evidence.ESTIMATED)


METRIC = Metric(
    name="logic_latency",
    unit=Unit.SECONDS,
    better=Better.LOWER,
    needs=SynthesisFacts,
    read=read,
    accepts=PLANNED,
    noisy=True,
)
