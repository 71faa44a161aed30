"""
The accelerator has no such operator.

What it finds
    Kinds of operators of a .tflite that are not in the list of the device's accelerator,
    where it takes at least one other operator of the model.

Why it hurts
    There is no parameter to change: whatever the operator's shape and type, it runs on the
    CPU beside the accelerator, and cuts the model in pieces (EB403). On the Edge TPU all
    operators after it run there, too.

Example
    CUMSUM, DEPTH_TO_SPACE or L2_NORMALIZATION on Ethos-U; DEQUANTIZE of a float output;
    GATHER on the Edge TPU.

Instead
    Another operator that the accelerator has: a transposed convolution instead of
    DEPTH_TO_SPACE, 8-bit inputs and outputs instead of QUANTIZE and DEQUANTIZE. What
    stands at an end of the model may be left to the application.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.devices.placement import Placed
from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.devices._placing import (
    accelerator_of,
    is_used,
    name_of,
    on_accelerator,
)

_INSTEAD = {
    "DEQUANTIZE": "convert with 8-bit outputs, and use the output's scale in the application",
    "DEPTH_TO_SPACE": "use a transposed convolution with stride 2",
}


def check(device: OnDevice) -> Iterator[Finding]:
    """Name each kind once."""
    table, placement = accelerator_of(device.profile), on_accelerator(device)
    if table is None or not is_used(placement):
        return
    found: dict[str, list[Placed]] = {}
    for each in placement:
        if any(reason.cause == "operator" for reason in each.reasons):
            found.setdefault(each.op.kind, []).append(each)
    for kind, together in found.items():
        number = f" ({len(together)} of them)" if len(together) > 1 else ""
        message = f"the {table.place} has no {kind}{number}: it runs on the {table.rest}"
        yield Finding(message, name_of(together[0].op), _INSTEAD.get(kind, ""))


RULE = Rule(
    code="EB405",
    name="accelerator-operator",
    severity=Severity.WARNING,
    needs=OnDevice,
    check=check,
    formats=frozenset({"tflite"}),
)
