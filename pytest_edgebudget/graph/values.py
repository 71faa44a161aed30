"""The numbers of small constants: shapes, axes, scales."""

from __future__ import annotations

import struct
from typing import cast

from pytest_edgebudget.graph.ir import Tensor

_CODES = {
    "float64": "d", "float32": "f", "float16": "e", "bool": "?",
    "int64": "q", "int32": "i", "int16": "h", "int8": "b",
    "uint64": "Q", "uint32": "I", "uint16": "H", "uint8": "B",
}  # fmt: skip


def numbers(tensor: Tensor | None) -> tuple[float, ...] | None:
    """All elements in order; None when not a constant, or of another type."""
    if tensor is None or tensor.data is None or tensor.sparse or tensor.dtype not in _CODES:
        return None
    code = _CODES[tensor.dtype]
    count, rest = divmod(len(tensor.data), struct.calcsize(f"<{code}"))
    return None if rest else struct.unpack(f"<{count}{code}", tensor.data)


def integers(tensor: Tensor | None, limit: int = 1024) -> tuple[int, ...] | None:
    """The elements of an integer constant of at most *limit* elements."""
    if tensor is None or not tensor.dtype.startswith(("int", "uint")):
        return None
    if tensor.data is None or len(tensor.data) > 8 * limit:
        return None
    return cast("tuple[int, ...] | None", numbers(tensor))
