"""
An operator does not meet a condition of the accelerator.

What it finds
    Operators of a .tflite that the device's accelerator has, but not like this: a stride,
    a window, a shape, a type, a scale, an axis beyond its conditions. Each condition once
    a kind of operator, with the first operator that breaks it. The conditions and their
    sources are in docs/profiles.md; the tests compare them with Vela's placements.

Why it hurts
    The operator runs on the CPU beside the accelerator, without a word from the runtime:
    a fallback of one layer can take longer than all others together (see EB402).

Example
    A depthwise convolution with stride 4 on Ethos-U55, which has strides up to 3. A padded
    average window of 9x9, where up to 8x8 is taken. An addition of float tensors in the
    middle of an int8 model.

Instead
    What the finding says: mostly a change of one parameter in the source model.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.devices.constraints import Violation
from pytest_edgebudget.devices.placement import Placed
from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.devices._placing import (
    accelerator_of,
    is_used,
    name_of,
    on_accelerator,
    share_of,
)


def check(device: OnDevice) -> Iterator[Finding]:
    """Look at the conditions of each operator; where nothing is taken, EB401 says it all."""
    table, placement = accelerator_of(device.profile), on_accelerator(device)
    if table is None or not is_used(placement):
        return
    found: dict[tuple[str, str], list[tuple[Placed, Violation]]] = {}
    for each in placement:
        for reason in each.reasons[:1]:
            if reason.cause == "condition":
                found.setdefault((each.op.kind, reason.message), []).append((each, reason))
    for (kind, _), together in found.items():
        yield _finding(device, kind, together, table.place)


def _finding(
    device: OnDevice, kind: str, together: list[tuple[Placed, Violation]], place: str
) -> Finding:
    operator, reason = together[0]
    part = share_of(device, [each for each, _ in together])
    words = [f"{len(together)} like it"] if len(together) > 1 else []
    if part:
        words.append(part)
    tail = f"; {', '.join(words)}" if words else ""
    message = f"the {place} does not take this {kind}: {reason}{tail}"
    return Finding(message, name_of(operator.op), reason.instead)


RULE = Rule(
    code="EB404",
    name="accelerator-condition",
    severity=Severity.WARNING,
    needs=OnDevice,
    check=check,
    formats=frozenset({"tflite"}),
)
