"""
No operator of the model runs on the accelerator.

What it finds
    A .tflite for a device with an accelerator (Ethos-U, Edge TPU, GPU delegate) of which
    the accelerator takes no operator at all.

Why it hurts
    Nothing fails: Vela compiles a float model for Ethos-U, returns 0, and reports "NPU
    operators = 0". The model runs on the CPU beside the accelerator. The keyword spotter
    of MLPerf Tiny takes 43 ms on a Cortex-M4 (results v1.2, STM32L4R5) and 0.18 ms on an
    Ethos-U55 of 128 MACs (Vela's estimate at 500 MHz).

Example
    A float32 model, or one with int8 weights and float activations, on Ethos-U or on the
    Edge TPU.

Instead
    Quantize weights and activations to int8 (the recipe `int8`, with calibration data).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pytest_edgebudget.devices.placement import Placed
from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.devices._placing import accelerator_of, name_of, on_accelerator

_CONVERSIONS = frozenset({"QUANTIZE", "DEQUANTIZE"})


def check(device: OnDevice) -> Iterator[Finding]:
    """Look whether there is any operator on the accelerator."""
    table = accelerator_of(device.profile)
    placement = [each for each in on_accelerator(device) if not each.gone]
    if table is None or not placement or any(each.on for each in placement):
        return
    first = _main_cause(device, placement)
    reason, number = first.reasons[0], len(placement)
    none = f"none of the {number} operators runs" if number > 1 else "the one operator does not run"
    yield Finding(f"{none} on the {table.place}: {reason}", name_of(first.op), reason.instead)


def _main_cause(device: OnDevice, placement: Sequence[Placed]) -> Placed:
    """The first operator of the reason that costs most; not a conversion where others are."""
    costs, weights = device.model.costs, Counter[str]()
    causes = [each for each in placement if each.reasons[0].cause != "order"] or placement
    for each in causes:
        cost = 0 if each.op.kind in _CONVERSIONS else 1 + (costs[each.index].macs or 0)
        weights[each.reasons[0].message] += cost
    most = weights.most_common(1)[0][0]
    return next(each for each in causes if each.reasons[0].message == most)


RULE = Rule(
    code="EB401",
    name="accelerator-unused",
    severity=Severity.ERROR,
    needs=OnDevice,
    check=check,
    formats=frozenset({"tflite"}),
)
