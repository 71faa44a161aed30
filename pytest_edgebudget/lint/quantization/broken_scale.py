"""
A scale or zero point that means nothing.

What it finds
    Scales that are zero, negative, infinite, not a number, or so small that a
    float holds them with less than full precision; zero points outside the
    integer type.

Why it hurts
    Runtimes disagree about such a file, and some compute on. A ResNet-8 with one
    negative scale (accuracy 0.90 before) is refused by LiteRT's default delegate,
    while LiteRT's plain kernels and tflite-runtime 2.14 run it without a word at
    0.08; with an infinite one, at 0.22.

Example
    conv2d/Relu: scale -0.1

Instead
    Quantize again from the float model. A scale of zero comes from an activation
    that was constant on the calibration samples: use samples like the real ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.dtypes import BITS, SMALL_INTEGERS
from pytest_edgebudget.graph.ir import Quantization, Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.quantization._layers import LARGEST, SMALLEST, short, sound


def _check(model: ModelFile) -> Iterator[Finding]:
    for subgraph in model.graph.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.quantization is not None and tensor.dtype in SMALL_INTEGERS:
                wrong = _wrong(tensor, tensor.quantization)
                if wrong:
                    yield Finding(wrong, where=short(tensor.name))


def _wrong(tensor: Tensor, quantization: Quantization) -> str:
    scales = quantization.scales
    if not scales or sound(quantization) is not None:
        return _wrong_zero_point(tensor.dtype, quantization.zero_points)
    bad = [scale for scale in scales if not SMALLEST <= scale <= LARGEST]
    channels = f" in {len(bad)} of {len(scales)} channels" if len(scales) > 1 else ""
    return f"scale {bad[0]:g}{channels}"


def _wrong_zero_point(dtype: str, zero_points: tuple[int, ...]) -> str:
    if not zero_points:
        return ""
    values = 1 << BITS[dtype]
    low = 0 if dtype.startswith("u") else -values // 2
    for point in (min(zero_points), max(zero_points)):
        if not low <= point < low + values:
            return f"zero point {point:,} is no {dtype} ({low} to {low + values - 1})"
    return ""


RULE = Rule(
    code="EB306",
    name="broken-scale",
    severity=Severity.ERROR,
    needs=ModelFile,
    check=_check,
)
