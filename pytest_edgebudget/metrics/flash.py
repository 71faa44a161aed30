"""`flash`: what a program with the model in it takes of a microcontroller's flash."""

from __future__ import annotations

from pytest_edgebudget.facts import LinkFacts
from pytest_edgebudget.metrics.base import Metric, Option, Options, Value
from pytest_edgebudget.types import Better, Evidence, Unit
from pytest_edgebudget.units import format_value


def read_flash(facts: LinkFacts, options: Options) -> Value:
    """
    Bytes of flash by the linker: code, constants, the model's weights, initial values.

    Unit: bytes. Lower is better. ``slots = 2`` counts all of it twice, as it is
    kept for updates (A and B).

    With ``run = "cortex-m"`` it is the program that is run there: the model
    compiled to C by a generator of ours, with nothing of TensorFlow Lite Micro
    in it but its arithmetic. It is exact for that program, and called emulated
    since a firmware with TensorFlow Lite Micro is another: that holds the file
    itself (``model_flash``), an interpreter and its operators. The note says
    what was linked. Application, drivers and boot loader are not in it.

    A program that is larger than the device's flash has a reading all the same;
    the note says by how much.

    Source: GNU ld, sections of the linked program.
    """
    slots = int(options.get("slots", 1))
    value = facts.flash * slots
    parts = [
        f"{_bytes(size)} {name}"
        for name, size in (
            ("code", facts.code),
            ("constants", facts.constants),
            ("weights", facts.weights),
            ("initial values", facts.initial),
        )
        if size
    ]
    times = f", {slots} times" if slots > 1 else ""
    excess = 0 if facts.room is None else max(0, value - facts.room)
    over = f"{_bytes(excess)} more than there is; " if excess else ""
    note = f"{over}{' + '.join(parts)}{times}: {facts.program}, {facts.tool}"
    return Value(value, note=note, layers=facts.layers, evidence=facts.evidence)


def _bytes(size: int) -> str:
    return format_value(size, Unit.BYTES)


METRIC = Metric(
    name="flash",
    unit=Unit.BYTES,
    better=Better.LOWER,
    needs=LinkFacts,
    read=read_flash,
    accepts=(Evidence.EXACT, Evidence.MEASURED, Evidence.EMULATED),
    additive=True,
    options=(Option("slots", int, 1, "How many copies of the program the flash holds."),),
)
