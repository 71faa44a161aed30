"""The element types of both formats, by their size in bits."""

from __future__ import annotations

import math
from collections.abc import Iterable

BITS = {
    "float64": 64, "float32": 32, "float16": 16, "bfloat16": 16,
    "float8_e4m3fn": 8, "float8_e4m3fnuz": 8, "float8_e5m2": 8, "float8_e5m2fnuz": 8,
    "float8_e8m0": 8, "float4_e2m1": 4,
    "int64": 64, "int32": 32, "int16": 16, "int8": 8, "int4": 4, "int2": 2,
    "uint64": 64, "uint32": 32, "uint16": 16, "uint8": 8, "uint4": 4, "uint2": 2,
    "bool": 8, "complex64": 64, "complex128": 128,
}  # fmt: skip
"""Bits of an element; types of no fixed size (string, resource) are not here."""

SMALL_INTEGERS = frozenset({"int16", "int8", "int4", "int2", "uint16", "uint8", "uint4", "uint2"})
"""The types that quantized weights are stored in."""


MAX_RANK = 64
"""Dimensions of a tensor that are believed: NumPy's limit; runtimes stop at eight."""

_BITS_OF_COUNT = 63
MAX_COUNT = 1 << _BITS_OF_COUNT
"""Counts from here on come from damaged files: no runtime can address so much."""


def is_float(dtype: str) -> bool:
    """Whether *dtype* is a floating-point type of any width."""
    return dtype.startswith(("float", "bfloat"))


def holdable(shape: tuple[int, ...]) -> bool:
    """Whether some memory can hold the elements; dynamic dimensions count as one."""
    if not shape or max(shape).bit_length() * len(shape) < _BITS_OF_COUNT:
        return True
    return math.prod(n for n in shape if n > 0) < MAX_COUNT


def byte_size(dtype: str, shape: Iterable[int]) -> int | None:
    """Bytes of a packed tensor; None for types of no fixed size."""
    if dtype not in BITS:
        return None
    bits = BITS[dtype]
    for n in shape:
        bits *= n
    return (bits + 7) // 8
