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


MOST = 1 << 20
"""Elements that are believed to be numbers for people: more are weights."""


def numbers(tensor: Tensor | None, limit: int = MOST) -> tuple[float, ...] | None:
    """
    All elements in order.

    None when it is not a constant, of another type, or has more than *limit*
    elements: each takes 32 bytes as a number of Python's.
    """
    if tensor is None or tensor.data is None or tensor.sparse or tensor.dtype not in _CODES:
        return None
    code = _CODES[tensor.dtype]
    count, rest = divmod(len(tensor.data), struct.calcsize(f"<{code}"))
    return None if rest or count > limit else struct.unpack(f"<{count}{code}", tensor.data)


def integers(tensor: Tensor | None, limit: int = 1024) -> tuple[int, ...] | None:
    """The elements of an integer constant of at most *limit* elements."""
    if tensor is None or not tensor.dtype.startswith(("int", "uint")):
        return None
    return cast("tuple[int, ...] | None", numbers(tensor, limit))
