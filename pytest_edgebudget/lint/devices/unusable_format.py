"""
The device has no runtime for models of this format.

What it finds
    A .onnx for a device that runs .tflite only, or the other way round, whatever is in it.

Why it hurts
    The model does not run there at all. All else that could be said about it on that device
    would be said about another model, the converted one, so the other rules of devices are
    silent.

Example
    An .onnx that was exported for a server, and `--profile stm32l4r5-tflm`, whose runtime is
    TensorFlow Lite Micro.

Instead
    Export the model to the format that the device runs, and look at that file: from Keras
    both are one call away, from PyTorch litert-torch writes .tflite. Or name the device that
    the model is really for.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.devices.runtimes import formats_of
from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.devices._placing import runtime_for


def check(device: OnDevice) -> Iterator[Finding]:
    """Look for a runtime."""
    profile, fmt = device.profile, device.model.graph.format
    if not runtime_for(profile, fmt):
        runs = " and ".join(f".{each}" for each in formats_of(profile.runtimes))
        yield Finding(
            f"{profile.name} runs no .{fmt} models: {' and '.join(profile.runtimes)} there",
            instead=f"export the model to {runs}",
        )


RULE = Rule(
    code="EB411",
    name="unusable-format",
    severity=Severity.ERROR,
    needs=OnDevice,
    check=check,
)
