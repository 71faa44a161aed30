"""
Much of the arithmetic has no fast kernel on the device.

What it finds
    A .tflite for a device with CMSIS-NN, ESP-NN or XNNPACK, where operators with at least
    one percent of the multiply-accumulates run in the runtime's other kernels, because of
    their kind, type or parameters. Where some arithmetic cannot be counted (loops, open
    sizes) it gives no share. Silent where the model does not start (EB408).

Why it hurts
    The reference kernels of TensorFlow Lite Micro are plain loops over one value at a
    time. CMSIS-NN's are 4.6 times as fast and take a fifth of the energy on a Cortex-M7
    (Lai, Suda, Chandra: CMSIS-NN, arXiv:1801.06601, a CIFAR-10 network). ESP-NN's are 3 to
    10 times as fast as plain C on an ESP32-S3 (its README: 10 times for a convolution of
    1x1, 3.3 of 3x3, 6.2 for a depthwise one, 2.8 for a fully connected layer).

Example
    A float32 model on a Cortex-M4: CMSIS-NN and ESP-NN have no float kernels at all. A 16x8
    model on an ESP32-S3, or on an XNNPACK phone.

Instead
    Quantize to int8 (the recipe `int8`): all of a common network's arithmetic then has a
    fast kernel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pytest_edgebudget.devices.placement import Placed, placed
from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.devices._placing import (
    counted,
    kernels_of,
    kinds,
    macs,
    name_of,
    refused,
    share_of,
)

LEAST = 0.01
"""Below this share of the multiply-accumulates it is not worth a word."""


def check(device: OnDevice) -> Iterator[Finding]:
    """Add up the multiply-accumulates outside the fast kernels."""
    table = kernels_of(device.profile)
    if table is None or refused(device):
        return
    slow = [each for each in placed(device.model.graph, table) if not each.on and not each.free]
    slow = [each for each in slow if _costs(device, each)]
    known = counted(device)
    if not slow or (known and macs(device, slow) < LEAST):
        return
    reason = _commonest(device, slow)
    layers = f"{len(slow)} layers run" if len(slow) > 1 else "1 layer runs"
    what = f"{share_of(device, slow)} run" if known else layers
    yield Finding(
        f"{what} in {table.rest}, not in {table.title}: "
        f"{kinds(each.op for each in slow)}; {reason.reasons[0]}",
        name_of(reason.op),
        reason.reasons[0].instead,
    )


def _costs(device: OnDevice, each: Placed) -> bool:
    """Whether it multiplies: by its count, or where none can be given, by its kind."""
    count = device.model.costs[each.index].macs
    return bool(count) or (count is None and each.reasons[0].cause == "condition")


def _commonest(device: OnDevice, slow: Sequence[Placed]) -> Placed:
    """The first operator of the reason that costs most."""
    cost: Counter[str] = Counter()
    for each in slow:
        cost[each.reasons[0].message] += device.model.costs[each.index].macs or 0
    most = cost.most_common(1)[0][0]
    return next(each for each in slow if each.reasons[0].message == most)


RULE = Rule(
    code="EB409",
    name="slow-kernel",
    severity=Severity.WARNING,
    needs=OnDevice,
    check=check,
    formats=frozenset({"tflite"}),
)
