"""
Activations of 16 bits where no fast kernel takes them.

What it finds
    Layers with 16-bit activations and 8-bit weights on LiteRT or tflite-runtime.

Why it hurts
    XNNPACK, which does the work on these runtimes, has no kernels for 16-bit
    activations: plain reference loops run instead. int16x8 ran 24 to 36 times
    slower than float on LiteRT (a keyword spotter and a ResNet-8 on x86-64).

Example
    9 of 9 layers compute on 16-bit activations

Instead
    int8, or - where int8 loses too much accuracy - int8 weights with float
    activations. 16 bits pay on CMSIS-NN and on Ethos-U, which have kernels for them.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.quantization._layers import layers, named

_SLOW = frozenset({"litert", "tflite-runtime"})


def _check(pair: OnDevice) -> Iterator[Finding]:
    runtime = next(iter(pair.profile.runtimes), "")
    if runtime not in _SLOW or pair.profile.accelerator or pair.profile.kernels:
        return  # of kernels that the profile names EB409 knows more
    found = layers(pair.model)
    wide = [layer for layer in found if layer.read.dtype == layer.output.dtype == "int16"]
    if wide:
        names = named([layer.op.name for layer in wide])
        yield Finding(
            f"{len(wide)} of {len(found)} layers compute on 16-bit activations, "
            f"for which {runtime} has no fast kernel: {names}"
        )


RULE = Rule(
    code="EB308",
    name="int16-activations",
    severity=Severity.WARNING,
    needs=OnDevice,
    check=_check,
    formats=frozenset({"tflite"}),
)
