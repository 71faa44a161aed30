"""
A bias whose scale is not that of the products.

What it finds
    Biases of integer layers whose scale differs by more than 1 % from the scale
    of the activations times the scale of the weights, or with a zero point. Of a bias
    of zeros the scale does not matter.

Why it hurts
    The 8-bit quantization specification (tensorflow.org/lite/performance/
    quantization_spec) fixes both, so kernels never read the bias's own: they add
    its integers to the sum of products as they are. A bias that was quantized by
    another scale is added wrong by their ratio, without a word. With a zero point,
    LiteRT's default delegate refuses the whole model ("unsupported zero-point
    value").

Example
    conv2d: the scale of the bias is 4 times that of the products

Instead
    Quantize the bias with scale = scale of the input * scale of the weights, and
    zero point 0. A tool that edited scales by hand has to edit the bias, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Quantization, Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.quantization._layers import layers, short, sound

_TOLERANCE = 0.01


def _check(model: ModelFile) -> Iterator[Finding]:
    for layer in layers(model):
        bias, read, kernel = map(_scales, (layer.bias, layer.read, layer.kernel))
        if bias is not None and read is not None and kernel is not None and layer.integer:
            zero = layer.bias is not None and _zero(layer.bias)
            wrong = _wrong(bias, read.scales[0], kernel, zero=zero)
            if wrong:
                yield Finding(wrong, where=short(layer.op.name))


def _scales(tensor: Tensor | None) -> Quantization | None:
    return sound(tensor.quantization) if tensor is not None else None


def _zero(bias: Tensor) -> bool:
    return bias.data is not None and not bytes(bias.data).strip(b"\0")


def _wrong(bias: Quantization, read: float, kernel: Quantization, *, zero: bool) -> str:
    points = [point for point in bias.zero_points if point]
    if points:
        return f"the bias has zero point {points[0]}"
    if zero:
        return ""
    weights = kernel.scales * (len(bias.scales) if len(kernel.scales) == 1 else 1)
    products = (read * scale for scale in weights)
    # Of unlike numbers of scales the shorter counts: EB507 says what is wrong there.
    ratios = [has / product for has, product in zip(bias.scales, products, strict=False) if product]
    worst = max(ratios, key=_off, default=1.0)
    if _off(worst) <= 1 + _TOLERANCE:
        return ""
    return f"the scale of the bias is {worst:.3g} times that of the products"


def _off(ratio: float) -> float:
    return max(ratio, 1 / ratio)


RULE = Rule(
    code="EB313",
    name="bias-scale-mismatch",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
