"""`ram`: the main memory that a model takes."""

from __future__ import annotations

from statistics import median

from pytest_edgebudget.facts import DeviceMemory, MemoryFacts
from pytest_edgebudget.metrics.base import RUN, Metric, Options, Value
from pytest_edgebudget.types import Better, Evidence, Unit
from pytest_edgebudget.units import format_value


def read(memory: MemoryFacts | DeviceMemory, options: Options) -> Value:
    """
    Bytes that the model adds to a worker that has already run another model.

    The peak anonymous memory from before the model is loaded until it has
    run twice, plus the pages of the model's own file that are mapped and
    touched; the note has the parts apart. The runtime, its libraries and
    Python do not count: a small model bundled with the worker has loaded
    them.

    Linux only. Value: the median of three fresh workers. Interval: the least
    and the most of them, and 16 KiB on either side: between two runs the same
    artifact reads a few pages of 4 KiB apart, however well the workers of one
    run agree. A limit or a regression inside it is undecided.

    A microcontroller with TensorFlow Lite Micro: the arena, as ``arena`` has it.
    Beside it a model takes no RAM: its inputs and outputs are tensors in the
    arena, its weights stay in flash. The note has the largest region of RAM,
    which an arena must fit: it is one piece.

    Source: proc_pid_status(5) (RssAnon, RssFile, VmHWM), proc_pid_smaps(5).
    """
    if isinstance(memory, DeviceMemory):
        return Value(memory.value, memory.low, memory.high, memory.note, evidence=memory.evidence)
    totals = [sum(parts) for parts in zip(memory.anonymous, memory.mapped, strict=True)]
    parts = [
        f"{format_value(median(memory.anonymous), Unit.BYTES)} anonymous",
        f"{format_value(median(memory.mapped), Unit.BYTES)} mapped file",
    ]
    low, high = max(0, min(totals) - RESOLUTION), max(totals) + RESOLUTION
    return Value(median(totals), low, high, " + ".join(parts))


RESOLUTION = 16 * 1024
"""Bytes. 18 runs of one artifact read 140 KiB, the next seven 136; others 132 to 156."""

METRIC = Metric(
    name="ram",
    unit=Unit.BYTES,
    better=Better.LOWER,
    needs=MemoryFacts,
    read=read,
    accepts=(*RUN, Evidence.ESTIMATED),
    noisy=True,
    additive=True,
)
