"""
Weights with a zero point in an integer model.

What it finds
    Kernels of signed integers whose zero point is not 0.

Why it hurts
    TensorFlow Lite's 8-bit quantization specification (tensorflow.org/lite/performance/
    quantization_spec) asks for symmetric weights: zero point 0, values -127 to 127.
    Kernels leave the term out. LiteRT, tflite-runtime
    and TensorFlow Lite Micro refuse such a convolution: "zero_point->data[i] != 0
    (5 != 0)". Unsigned weights of old files have a zero point by design; they are
    EB312's.

Example
    conv2d: int8 weights with zero point 5

Instead
    Quantize the weights symmetrically: TensorFlow's converter and
    litert-quantizer do so by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.quantization._layers import layers, short


def _check(model: ModelFile) -> Iterator[Finding]:
    for layer in layers(model):
        kernel = layer.kernel
        if kernel.quantization is None or kernel.dtype.startswith("u"):
            continue
        points = [point for point in kernel.quantization.zero_points if point]
        if points and layer.integer:
            message = f"{kernel.dtype} weights with zero point {points[0]}"
            yield Finding(message, where=short(layer.op.name))


RULE = Rule(
    code="EB311",
    name="asymmetric-weights",
    severity=Severity.ERROR,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
