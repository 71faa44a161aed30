"""How much memory a tensor takes in a runtime that gives each a fixed place."""

from __future__ import annotations

from pytest_edgebudget.graph.dtypes import BITS, MAX_COUNT
from pytest_edgebudget.graph.ir import Tensor


def shape_of(tensor: Tensor) -> tuple[int, ...]:
    """
    The sizes that a runtime starts with.

    Where the file leaves a dimension open, it also says what to start with,
    mostly 1 (`Tensor.default_shape`); 1 where it says nothing at all.
    """
    shape = tensor.default_shape or tensor.shape or ()
    return tuple(n if n >= 0 else 1 for n in shape)


def elements(tensor: Tensor) -> int:
    """How many elements; a scalar has one."""
    count = 1
    for n in shape_of(tensor):
        count *= n
    return count


def held_bytes(tensor: Tensor) -> int:
    """
    Bytes of *tensor* in memory, where elements of less than a byte take one.

    0 for types of no fixed size, and for sizes that no runtime can address.
    """
    size = elements(tensor) * ((BITS.get(tensor.dtype, 0) + 7) // 8)
    return size if size < MAX_COUNT else 0


def aligned(size: int, alignment: int) -> int:
    """*size*, rounded up to a multiple of *alignment*."""
    return -(-size // alignment) * alignment
