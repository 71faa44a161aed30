"""
Some operators do not run on the accelerator.

What it finds
    Operators of a .tflite that the device's accelerator does not take, their number and
    their share of the multiply-accumulates. EB404 and EB405 say why for each. A note where
    they hold no multiply-accumulates and the accelerator gets the rest in one piece.

Why it hurts
    They run on the CPU beside the accelerator, which is slower by orders of magnitude: the
    image classifier of MLPerf Tiny takes 165 ms on a Cortex-M4 (results v1.2, STM32L4R5)
    and 0.40 ms on an Ethos-U55 of 128 MACs (Vela's estimate at 500 MHz). One percent of
    its arithmetic on such a CPU would take four times as long as all the rest. On the Edge
    TPU the first operator that is not taken sends everything after it to the CPU.

Example
    A depthwise convolution with stride 4 on Ethos-U55; an argmax in the middle of a model
    for the Edge TPU.

Instead
    What EB404 and EB405 say; or cut the model, and leave its head or tail to the application.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.devices.placement import partitions
from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.devices._placing import (
    accelerator_of,
    is_used,
    kinds,
    name_of,
    on_accelerator,
    share_of,
)


def check(device: OnDevice) -> Iterator[Finding]:
    """Count what is not on the accelerator, where something is."""
    table, placement = accelerator_of(device.profile), on_accelerator(device)
    off = [each for each in placement if not each.on]
    if table is None or not off or not is_used(placement):
        return
    part = share_of(device, off)
    pieces = partitions(device.model.graph.main, [each.side for each in placement])
    run = "runs" if len(off) == 1 else "run"
    yield Finding(
        f"{len(off)} of {len(placement)} operators {run} on the {table.rest}, with "
        f"{part or 'none of the multiply-accumulates'}: "
        f"{kinds(each.op for each in off)}",
        name_of(off[0].op),
        severity=None if part or pieces > 1 else Severity.NOTE,
    )


RULE = Rule(
    code="EB402",
    name="accelerator-fallback",
    severity=Severity.WARNING,
    needs=OnDevice,
    check=check,
    formats=frozenset({"tflite"}),
)
