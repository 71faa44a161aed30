"""
A range of integers in which an op's result is lost.

What it finds
    Integer ops whose scales leave nothing of the result: a convolution or dense layer
    whose smallest change of the sum of products is a whole step of the output or more
    (nearly every result is clipped), or whose largest possible sum is less than half a
    step (every input gives the same output); a sum, a concatenation or a requantization
    whose output step is more than twice the whole range of an input.

Why it hurts
    The model loads and runs, and answers the same whatever it sees. The cause is nearly
    always calibration: samples on which an activation was constant, or one huge value,
    such as the -1e9 of an attention mask, which takes the whole range for itself. LiteRT
    refuses a layer whose products are scaled by 256 or more ("failed to create XNNPACK
    runtime"); a ResNet-8 with one such layer falls from 0.90 to 0.22 on its plain kernels.

Example
    add: a step of the output is 3.9e+06, and the whole range of scores is 31

Instead
    Calibrate with real samples, and mask with the smallest value that does its work
    (-30 before a softmax of scores below 10) in place of -1e9.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.dtypes import BITS, SMALL_INTEGERS
from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.quantization._layers import Layer, layers, short, sound

_PASSING = frozenset({"ADD", "SUB", "CONCATENATION", "QUANTIZE"})
"""Ops that bring each input to the scale of the output."""


def _check(model: ModelFile) -> Iterator[Finding]:
    for layer in layers(model):
        if layer.integer:
            yield from _layer(layer)
    for subgraph in model.graph.subgraphs:
        for op in subgraph.ops:
            if op.kind in _PASSING and op.outputs and op.outputs[0] >= 0:
                yield from _swallowed(op, subgraph)


def _layer(layer: Layer) -> Iterator[Finding]:
    read, made = _scale(layer.read), _scale(layer.output)
    kernel = sound(layer.kernel.quantization)
    if not (read and made and kernel and layer.channels):
        return
    where = short(layer.op.name)
    steps = read * min(kernel.scales) / made
    largest = _largest_sum(layer) * read * max(kernel.scales) / made
    if steps >= 1:
        clipped = (
            f"a product counts {steps:.3g} steps of the output: nearly every result is clipped"
        )
        severity = Severity.ERROR if steps >= _REFUSED else None
        yield Finding(clipped, where=where, severity=severity)
    elif 0 < largest < _HALF:
        same = f"the largest sum is {largest:.2g} steps of the output, which never changes"
        yield Finding(same, where=where)


_REFUSED = 256
"""Steps a product: from here on XNNPACK refuses the model."""

_HALF = 0.5
"""Of a step: less is rounded away."""


def _largest_sum(layer: Layer) -> int:
    """The largest sum of products that the integer types allow."""
    products = (layer.kernel.elements or 0) // layer.channels
    return products * _values(layer.read) * _values(layer.kernel) // 2


def _swallowed(op: Op, subgraph: Subgraph) -> Iterator[Finding]:
    step = _scale(subgraph.tensors[op.outputs[0]])
    for index in op.inputs:
        tensor = subgraph.tensors[index] if index >= 0 else None
        if tensor is None or tensor.constant or not step:
            continue
        reach = _scale(tensor) * _values(tensor)
        if 0 < reach < step * _HALF:
            whole = f"the whole range of {short(tensor.name)} is {reach:.2g}"
            message = f"a step of the output is {step:.2g}, and {whole}"
            yield Finding(message, where=short(op.name))


def _scale(tensor: Tensor) -> float:
    """The scale of an integer tensor that has one; 0 otherwise."""
    quantization = sound(tensor.quantization)
    if quantization is None or len(quantization.scales) != 1 or tensor.dtype not in SMALL_INTEGERS:
        return 0.0
    return quantization.scales[0]


def _values(tensor: Tensor) -> int:
    return 1 << BITS.get(tensor.dtype, 0)


RULE = Rule(
    code="EB307",
    name="collapsed-range",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
