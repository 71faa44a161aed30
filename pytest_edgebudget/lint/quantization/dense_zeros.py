"""
Pruned weights that are stored like all others.

What it finds
    Weights of which a good part is exactly zero (a fifth of the floats, two fifths of
    the int8), in a file that stores each zero.

Why it hurts
    Zeros save nothing on the device: 50 % pruning changed flash, memory and time of 18
    models on a microcontroller by a factor of 1.00 (EdgeMark, NUCLEO-L4R5ZI), and XNNPACK
    ran 80 % zeros in the time of none. Only a download gets smaller, since zeros compress:
    that is the metric ``download_size``.

Example
    72 % of 60,416 weights are zero, and stored

Instead
    Nothing, when the download is what counts. To save flash, memory or time remove whole
    channels (structured pruning), or quantize. Sparse storage
    (``Optimize.EXPERIMENTAL_SPARSITY``) makes the file of a float model smaller.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.constants import origins, used
from pytest_edgebudget.graph.ir import Subgraph, Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.quantization._layers import short

_LEAST = {"float32": 0.2, "float16": 0.2, "int8": 0.4, "uint8": 0.4}
"""Shares of zeros that training and rounding alone do not make."""

_WIDTH = {"float32": 4, "float16": 2, "int8": 1, "uint8": 1}
_FEW = 512  # biases and the like
_CHUNK = 1 << 20


def _check(model: ModelFile) -> Iterator[Finding]:
    zeros = weights = 0
    largest: tuple[int, str] = (0, "")
    for tensor in _weights(model):
        count, found = _elements(tensor), _zeros(tensor)
        weights += count
        if found >= _LEAST[tensor.dtype] * count:
            zeros += found
            largest = max(largest, (found, tensor.name))
    if zeros >= _SHARE * weights and zeros:
        message = f"{zeros / weights:.0%} of {weights:,} weights are zero, and stored"
        yield Finding(message, where=short(largest[1]))


_SHARE = 0.1


def _weights(model: ModelFile) -> Iterator[Tensor]:
    seen: set[int] = set()
    for subgraph in model.graph.subgraphs:
        for tensor in _constants(subgraph):
            fits = tensor.dtype in _WIDTH and not tensor.sparse
            if fits and _elements(tensor) > _FEW and id(tensor.data) not in seen:
                seen.add(id(tensor.data))
                yield tensor


def _constants(subgraph: Subgraph) -> Iterator[Tensor]:
    """Constants of two dimensions and more that an op uses."""
    known = origins(subgraph)
    for op in subgraph.ops:
        for _, index in used(op, known):
            tensor = subgraph.tensors[index]
            if tensor.data is not None and len(tensor.shape or ()) > 1:
                yield tensor


def _elements(tensor: Tensor) -> int:
    return len(tensor.data or b"") // _WIDTH[tensor.dtype]


def _zeros(tensor: Tensor) -> int:
    """The number of zeros; fewer are good enough where there are few."""
    data, width = tensor.data, _WIDTH[tensor.dtype]
    assert data is not None
    zero = _zero_byte(tensor)
    count = 0
    for start in range(0, len(data), _CHUNK):
        chunk = bytes(data[start : start + _CHUNK])
        last = chunk[width - 1 :: width]  # the exponent: of a number that is no zero hardly ever 0
        alike = last.count(zero)
        if width == 1:
            count += alike
        elif alike >= len(last) * _LEAST[tensor.dtype]:
            words = memoryview(chunk)[: len(chunk) // width * width]
            count += (words.cast("I") if width == 4 else words.cast("H")).tolist().count(0)
    return count


def _zero_byte(tensor: Tensor) -> int:
    quantization = tensor.quantization
    points = quantization.zero_points if quantization is not None else ()
    return points[0] & 0xFF if points and tensor.dtype in ("int8", "uint8") else 0


RULE = Rule(
    code="EB310",
    name="dense-zeros",
    severity=Severity.NOTE,
    needs=ModelFile,
    check=_check,
)
