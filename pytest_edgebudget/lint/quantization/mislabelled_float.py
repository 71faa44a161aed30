"""
A file named "float" whose weights are integers.

What it finds
    Models with integer weights, in a file whose name says float, fp32 or f32: those with
    float activations (dynamic range quantization), and those that compute on integers
    throughout. A name such as "float_io" speaks of inputs and outputs, and is not meant.

Why it hurts
    The baseline that others are compared with is then no float model: its accuracy
    is that of quantized weights, and its time that of kernels which quantize the
    activations on the way. MLPerf Tiny's kws_ref_model_float32.tflite is such a file:
    0.9025 on 800 samples, where the float model reaches 0.9137. TensorFlow Lite Micro
    refuses it ("Hybrid models are not supported").

Example
    the file is named kws_ref_model_float32.tflite, and 5 of its 10 layers have int8
    weights

Instead
    Name it after what it is (dynamic_int8, int8), and take the float model as baseline:
    ``TFLiteConverter`` without ``optimizations``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.quantization._layers import layers

_FLOAT = re.compile(r"(?<![a-z0-9])(float|float32|fp32|f32)(?![a-z0-9])(?![_-]?(io|in|out))")
_QUANTIZED = re.compile(r"dyn|hybrid|quant|int8|int4|w8|w4|wi8|wi4|drq|8bit|4bit")


def _check(model: ModelFile) -> Iterator[Finding]:
    name = model.path.stem.lower()
    if not _FLOAT.search(name) or _QUANTIZED.search(name):
        return
    found = layers(model)
    small = [layer for layer in found if layer.hybrid or layer.integer]
    if small:
        kinds = " and ".join(sorted({layer.kernel.dtype for layer in small}))
        integer = sum(layer.integer for layer in small)
        computing = f", {integer} of them with integer activations, too" if integer else ""
        yield Finding(
            f"the file is named {model.path.name}, and {len(small)} of its {len(found)} layers "
            f"have {kinds} weights{computing}"
        )


RULE = Rule(
    code="EB309",
    name="mislabelled-float",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
