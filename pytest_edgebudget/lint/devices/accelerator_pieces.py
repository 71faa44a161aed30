"""
The accelerator gets the model in several pieces.

What it finds
    A .tflite whose operators for the accelerator are separated by others, so that it is
    entered more than once in an inference. The pieces are counted as LiteRT's delegates
    and Vela make them.

Why it hurts
    Each change of sides is a synchronisation, and the activations between the pieces go
    through memory that both can reach: a GPU delegate copies them to the CPU and back. The
    memory planner cannot reuse the accelerator's memory across pieces either.

Example
    An operator that the accelerator does not have between two convolutions; an activation
    in float between two int8 layers (DEQUANTIZE, ELU, QUANTIZE).

Instead
    Replace the operators in between (the message names the first of them), or move them
    to one end of the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_edgebudget.devices.placement import Placed, partitions
from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.devices._placing import (
    accelerator_of,
    kinds,
    name_of,
    on_accelerator,
)


def check(device: OnDevice) -> Iterator[Finding]:
    """Count the pieces."""
    table, placement = accelerator_of(device.profile), on_accelerator(device)
    if table is None or not placement:
        return
    pieces = partitions(device.model.graph.main, [each.side for each in placement])
    between = _between(placement) if pieces > 1 else []
    if between:
        yield Finding(
            f"the {table.place} gets the model in {pieces} pieces, between which there are "
            f"{kinds(each.op for each in between)}",
            name_of(between[0].op),
        )


def _between(placement: Sequence[Placed]) -> list[Placed]:
    """What is off the accelerator between its first and its last operator."""
    on = [each.index for each in placement if each.on]
    between = [each for each in placement if not each.on and on[0] < each.index < on[-1]]
    return between or [each for each in placement if not each.on]


RULE = Rule(
    code="EB403",
    name="accelerator-pieces",
    severity=Severity.WARNING,
    needs=OnDevice,
    check=check,
    formats=frozenset({"tflite"}),
)
