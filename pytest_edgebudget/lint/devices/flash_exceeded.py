"""
The model does not fit into the device's flash.

What it finds
    A model file (with its external data) that is larger than the largest piece of flash of
    a device whose flash is known, or that leaves less than 64 KiB of it.

Why it hurts
    The firmware does not link. Where only a little is left, it is the runtime that does
    not fit: TensorFlow Lite Micro with the kernels of a typical image model takes some 50
    to 100 KB of code, and an update over the air needs room for two images.

Example
    A float32 MobileNet of 16 MB on a Raspberry Pi Pico with 2 MB of flash.

Instead
    `int8` makes a quarter of float32, `int4_weights` an eighth. Otherwise a narrower
    network: the bytes by layer are in `edgebudget explain MODEL`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.types import Unit
from pytest_edgebudget.units import format_pair, format_value

RUNTIME = 64 * 1024
"""Bytes below which hardly a runtime fits beside the model."""


def check(device: OnDevice) -> Iterator[Finding]:
    """Compare the file with the largest piece of flash."""
    room, graph = device.profile.largest("flash"), device.model.graph
    if not room:
        return
    size, name = graph.size + graph.external_size, device.profile.name
    if size > room:
        need, have = format_pair(size, room, Unit.BYTES)
        yield Finding(f"the model has {need}, and the flash of {name} has {have}")
    elif room - size < RUNTIME:
        left, have = format_value(room - size, Unit.BYTES), format_value(room, Unit.BYTES)
        message = f"the model leaves {left} of the {have} of flash of {name} for all code"
        yield Finding(message, severity=Severity.WARNING)


RULE = Rule(
    code="EB407",
    name="flash-exceeded",
    severity=Severity.ERROR,
    needs=OnDevice,
    check=check,
)
