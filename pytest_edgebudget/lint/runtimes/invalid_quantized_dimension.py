"""
A quantized dimension that the tensor does not have, or of another size.

What it finds
    Tensors whose quantized dimension is none of theirs, and tensors with another number
    of scales than that dimension has elements, or than they have zero points.

Why it hurts
    LiteRT and tflite-runtime refuse the whole file ("quantized_dimension must be in range
    [0, 4). Was 7."). TensorFlow Lite Micro does not look where there is one scale, and
    runs such files: a person detector of its examples is one. They cannot be tried on a
    computer, then.

Example
    conv2d/kernel: 16 scales for the 3 elements of dimension 1

Instead
    Quantize again. In a file with one scale for each tensor, setting every
    quantized_dimension to 0 changes nothing and cures it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Quantization
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity


def _check(model: ModelFile) -> Iterator[Finding]:
    for subgraph in model.graph.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.quantization is not None and tensor.quantization.block_size is None:
                wrong = _wrong(tensor.quantization, tensor.shape or ())
                if wrong:
                    yield Finding(wrong, where=tensor.name.split(";")[0])


def _wrong(quantization: Quantization, shape: tuple[int, ...]) -> str:
    scales, dimension = len(quantization.scales), quantization.dimension
    if len(quantization.zero_points) != scales:
        return f"{scales} scales and {len(quantization.zero_points)} zero points"
    if not shape or not scales:
        return ""
    if not 0 <= dimension < len(shape):
        return f"quantized dimension {dimension} of a tensor with dimensions 0 to {len(shape) - 1}"
    if scales > 1 and shape[dimension] not in (-1, scales):
        return f"{scales} scales for the {shape[dimension]} elements of dimension {dimension}"
    return ""


RULE = Rule(
    code="EB507",
    name="invalid-quantized-dimension",
    severity=Severity.ERROR,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
