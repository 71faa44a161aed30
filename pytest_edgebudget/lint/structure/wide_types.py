"""
64-bit numbers where 32 bits do.

What it finds
    float64 values (of more than 64 elements), and int64 constants of a kilobyte or more
    that fit in 32 bits. The indices that ONNX wants in int64 (shapes, axes, ArgMax) and
    other small int64 tensors are fine.

Why it hurts
    Twice the bytes, in the file and in memory. No microcontroller and hardly any NPU has
    64-bit floats: in software a float64 operation takes tens of cycles, and most edge
    runtimes have no kernel for it.

Example
    A scikit-learn or NumPy model exported with its default type; a table of positions
    made by `np.arange` (int64).

Instead
    Export in float32: `model.float()` in PyTorch, `FloatTensorType` in skl2onnx,
    `np.float32` for constants; make tables int32.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.dtypes import byte_size
from pytest_edgebudget.graph.ir import Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.structure._ops import plural, size

_FEW = 64
_LEAST = 1024
_SCANNED = 1 << 20
"""Bytes of an int64 constant that are looked at: larger ones are rare, and scanning is slow."""

_LOW, _HIGH = -(1 << 31), (1 << 31) - 1


def check(model: ModelFile) -> Iterator[Finding]:
    """All tensors, each constant once."""
    floats, integers = _wide(model)
    if floats:
        stored = sum(tensor.stored_bytes for tensor in floats)
        what = f", {size(stored)} of constants (half as float32)" if stored else ""
        message = f"{plural(len(floats), 'tensor')} in float64{what}"
        yield Finding(message, floats[0].name, saves=stored // 2)
    taken = sum(tensor.stored_bytes for tensor in integers)
    if taken >= _LEAST:
        message = f"{plural(len(integers), 'int64 constant')} would fit in 32 bits"
        largest = max(integers, key=lambda tensor: tensor.stored_bytes)
        message = f"{message}: {size(taken)} are twice what is needed"
        yield Finding(message, largest.name, saves=taken // 2)


def _wide(model: ModelFile) -> tuple[list[Tensor], list[Tensor]]:
    """The float64 tensors that cost something, and the int64 constants that could be int32."""
    floats, integers = [], []
    seen: set[int] = set()
    for links in model.links:
        for index, tensor in enumerate(links.subgraph.tensors):
            if tensor.dtype not in ("float64", "int64") or id(tensor.data) in seen:
                continue
            if tensor.data is not None:
                seen.add(id(tensor.data))
            if tensor.dtype == "float64" and links.used(index) and _many(tensor):
                floats.append(tensor)
            elif tensor.dtype == "int64" and _fits(tensor):
                integers.append(tensor)
    return floats, integers


def _many(tensor: Tensor) -> bool:
    """More than a few elements; an open batch counts as one."""
    shape = tensor.shape
    if shape is None or -1 in shape[1:]:
        return False
    return (byte_size("int8", (max(n, 1) for n in shape)) or 0) > _FEW


def _fits(tensor: Tensor) -> bool:
    """Whether the numbers of a large int64 constant fit in 32 bits."""
    data = tensor.data
    if data is None or tensor.sparse or not 8 * _FEW < len(data) <= _SCANNED or len(data) % 8:
        return False
    from array import array  # most models have no such constants

    values = array("q", bytes(data))
    return min(values) >= _LOW and max(values) <= _HIGH


RULE = Rule(
    code="EB211",
    name="wide-types",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=check,
)
