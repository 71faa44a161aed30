"""
A DEQUANTIZE and a QUANTIZE in a row.

What it finds
    Integers that become floats and integers again with nothing in between, and
    floats that become integers and floats again.

Why it hurts
    Each op reads and writes the whole tensor, and the tensor between them has four
    times the bytes, often at the peak of memory. Integers with another scale on the
    other side need one QUANTIZE (a requantization). Floats that pass through
    integers are only rounded: that is the simulation of a quantized model, left
    behind in a file that computes in float. Runtimes for `.tflite` remove neither;
    onnxruntime removes such pairs when it loads a model, so `.onnx` is not looked at.

Example
    concat: DEQUANTIZE and QUANTIZE with the same scale: 4,096 bytes of floats between them

Instead
    Quantize the float model in one go, instead of joining parts that were quantized
    apart. A model after training with simulated quantization is converted with
    ``Optimize.DEFAULT``, which turns the simulation into integers.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Op, Subgraph
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.links import Links
from pytest_edgebudget.lint.quantization._layers import alike, short

_PAIRS = {"QUANTIZE": "DEQUANTIZE", "DEQUANTIZE": "QUANTIZE"}


def _check(model: ModelFile) -> Iterator[Finding]:
    for links in model.links:
        for op in links.subgraph.ops:
            if op.kind in _PAIRS and len(op.inputs) == 1 and op.outputs:
                before = links.producer(op.inputs[0])
                if before is not None and before.kind == _PAIRS[op.kind] and before.inputs:
                    yield from _pair(before, op, links)


def _pair(first: Op, second: Op, links: Links) -> Iterator[Finding]:
    tensors = links.subgraph.tensors
    if min(first.inputs[0], second.outputs[0]) < 0 or tensors[first.inputs[0]].constant:
        return
    size = _size(first, links.subgraph)
    if second.kind == "DEQUANTIZE":
        message = "floats are quantized and dequantized again, which only rounds them"
    elif alike(tensors[first.inputs[0]], tensors[second.outputs[0]]):
        message = f"DEQUANTIZE and QUANTIZE with the same scale{size}"
    else:
        message = f"DEQUANTIZE and QUANTIZE, where one QUANTIZE would do{size}"
    yield Finding(message, where=short(second.name))


def _size(first: Op, subgraph: Subgraph) -> str:
    elements = subgraph.tensors[first.outputs[0]].elements
    return f": {4 * elements:,} bytes of floats between them" if elements else ""


RULE = Rule(
    code="EB302",
    name="cancelling-quantize",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
