"""
Layers that compute on unsigned 8-bit integers.

What it finds
    Layers with uint8 activations: a file of the scheme before 2020 (zero points in
    activations and weights), or one that mixes both schemes. uint8 at the inputs and
    outputs of an int8 model is not meant: QUANTIZE converts that.

Why it hurts
    TensorFlow Lite's 8-bit quantization specification is int8; kernels written since
    are for int8 only. Those of TensorFlow Lite Micro refuse uint8, CMSIS-NN has none,
    and per-channel weights do not exist in the old scheme. Where both are mixed, a
    QUANTIZE stands at each border and rounds once more.

Example
    3 of 3 layers compute on uint8: conv, conv_1 and dense

Instead
    Quantize the float model again with a converter of TensorFlow 2 or
    litert-quantizer; for uint8 samples set ``inference_input_type`` to uint8.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.quantization._layers import layers, named


def _check(model: ModelFile) -> Iterator[Finding]:
    integer = [layer for layer in layers(model) if layer.integer]
    old = [layer for layer in integer if layer.read.dtype == "uint8"]
    if not old:
        return
    mixed = ", the others on int8" if len(old) < len(integer) else ""
    names = named([layer.op.name for layer in old])
    verb = "computes" if len(old) == 1 else "compute"
    yield Finding(f"{len(old)} of {len(integer)} layers {verb} on uint8{mixed}: {names}")


RULE = Rule(
    code="EB312",
    name="uint8-arithmetic",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
