"""
Bytes that one op reads and writes.

Each input is read once and each output written once, whatever caches do: the
least that an op alone can move, Williams et al., "Roofline", Communications of
the ACM 52(4), 2009 (compulsory traffic). Elements have the size of their type;
int4 is packed two to a byte. Ops as they are in the file: a runtime that fuses
two of them moves less.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_edgebudget.graph.dtypes import MAX_COUNT, byte_size
from pytest_edgebudget.graph.ir import Op, Tensor

_VIEWS = frozenset(
    """
    BITCAST EXPAND_DIMS RANK RESHAPE SHAPE SQUEEZE STABLEHLO_RESHAPE
    BitCast Dropout Flatten Identity Reshape Shape Size Squeeze Unsqueeze
    """.split()  # noqa: SIM905
)
"""Ops that look at the same bytes in another way, or at their shape only."""

_PICKING = frozenset(
    """
    EMBEDDING_LOOKUP GATHER GATHER_ND SLICE STABLEHLO_DYNAMIC_SLICE STABLEHLO_SLICE STRIDED_SLICE
    Gather GatherElements GatherND Slice
    """.split()  # noqa: SIM905
)
"""Ops that read of their data (the table of EMBEDDING_LOOKUP) what they write."""


def traffic(op: Op, tensors: tuple[Tensor, ...]) -> tuple[int | None, int | None]:
    """Bytes read and bytes written; None where a size is not known."""
    written = _sum(tensors[i] for i in op.outputs if i >= 0 and tensors[i].data is None)
    if op.kind in _VIEWS:
        return 0, 0
    if op.kind not in _PICKING:
        return _sum(tensors[i] for i in dict.fromkeys(op.inputs) if i >= 0), written
    table = 1 if op.kind == "EMBEDDING_LOOKUP" else 0
    rest = _sum(tensors[i] for p, i in enumerate(op.inputs) if p != table and i >= 0)
    return (None if rest is None or written is None else rest + written), written


def is_view(kind: str) -> bool:
    """Whether an op's output has the bytes of its input."""
    return kind in _VIEWS


def _sum(tensors: Iterable[Tensor]) -> int | None:
    total = 0
    for tensor in tensors:
        size = tensor_bytes(tensor)
        if size is None:
            return None
        total += size
    return total


def tensor_bytes(tensor: Tensor) -> int | None:
    """Bytes of a tensor in memory; None when its size is not known."""
    if tensor.data is not None:
        return len(tensor.data)
    shape = tensor.shape
    if shape is None or min(shape, default=0) < 0:
        return None
    size = byte_size(tensor.dtype, shape)
    return size if size is None or size < MAX_COUNT else None
