"""
The model has more weights than the accelerator keeps.

What it finds
    A .tflite for the Edge TPU, whose operators there have more than 8 MB of weights.

Why it hurts
    The Edge TPU keeps about 8 MB of weights in its own memory; what is beyond that is
    fetched over USB or PCIe in each inference. Coral's benchmarks (USB accelerator) have
    2.6 ms for MobileNet v2, whose weights fit, and 49 ms for ResNet-50 v1, whose 25 MB
    do not: thirteen times the arithmetic, nineteen times the time.

Example
    ResNet-50, VGG-16, Inception v4 in int8.

Instead
    A narrower network; or two Edge TPUs in a row, each with half of the layers.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.devices._placing import accelerator_of, on_accelerator
from pytest_edgebudget.types import Unit
from pytest_edgebudget.units import format_value


def check(device: OnDevice) -> Iterator[Finding]:
    """Add up the weights of what runs on the accelerator."""
    table = accelerator_of(device.profile)
    if table is None or table.cache is None or device.model.graph.size <= table.cache:
        return
    costs = device.model.costs
    held = sum(costs[each.index].weight_bytes for each in on_accelerator(device) if each.on)
    if held > table.cache:
        yield Finding(
            f"{format_value(held, Unit.BYTES)} of weights are on the {table.place}, which keeps "
            f"about {format_value(table.cache, Unit.BYTES)}: the rest is fetched in each inference"
        )


RULE = Rule(
    code="EB410",
    name="accelerator-cache",
    severity=Severity.NOTE,
    needs=OnDevice,
    check=check,
    formats=frozenset({"tflite"}),
)
