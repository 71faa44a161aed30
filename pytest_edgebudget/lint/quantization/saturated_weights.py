"""
Weights that were cut off at the ends of their integer type.

What it finds
    int8 kernels of which at least 5 % lie at -127 or 127, the largest weight of each
    channel not counted. Weights of two or three values only are not meant.

Why it hurts
    The scale was too small for the weights: whatever is larger became the largest integer
    there is. A quantizer that looks at the weights leaves one value a channel at the
    end. The digits classifier of examples/ falls from 0.98 to 0.85 when all kernels are cut
    off at half of their range, and to 0.32 at a quarter.

Example
    conv2d: 28% of the weights are cut off at -127 or 127

Instead
    Quantize again from the float model. Where the scales come from training with
    simulated quantization, its ranges stopped following the weights: let them learn, or
    take the ranges from the weights.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.quantization._layers import Layer, layers, short

_LEAST = 0.05
_FEW = 256
_ENDS = (0x7F, 0x80, 0x81)  # 127, -128, -127
_CHUNK = 1 << 20


def _check(model: ModelFile) -> Iterator[Finding]:
    for layer in layers(model):
        share = _cut_off(layer)
        if share >= _LEAST:
            message = f"{share:.0%} of the weights are cut off at -127 or 127"
            yield Finding(message, where=short(layer.op.name))


def _cut_off(layer: Layer) -> float:
    data = layer.kernel.data
    if data is None or layer.kernel.dtype != "int8" or layer.kernel.sparse or len(data) < _FEW:
        return 0.0
    ends = zeros = 0
    for start in range(0, len(data), _CHUNK):
        chunk = bytes(data[start : start + _CHUNK])
        ends += sum(chunk.count(end) for end in _ENDS)
        zeros += chunk.count(0)
    if ends + zeros == len(data):
        return 0.0  # binary or ternary: nothing was lost
    return max(0, ends - layer.channels) / len(data)


RULE = Rule(
    code="EB314",
    name="saturated-weights",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
