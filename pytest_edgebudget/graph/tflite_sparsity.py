"""Where the elements of a sparse tensor of a `.tflite` are."""

from __future__ import annotations

from pytest_edgebudget.graph.damage import DamageError
from pytest_edgebudget.graph.dtypes import MAX_RANK
from pytest_edgebudget.graph.flatbuffer import Table
from pytest_edgebudget.graph.ir import Dimension, Sparsity
from pytest_edgebudget.graph.tflite_options import slots

_SPARSITY = slots("SparsityParameters")
_DIMENSION = slots("DimensionMetadata")
_WIDTHS = (0, 4, 2, 1)
"""Bytes of a number of Int32Vector, Uint16Vector and Uint8Vector, by the union's number."""


def read_sparsity(table: Table | None) -> Sparsity | None:
    """The sparsity of a tensor; None for a dense one."""
    if table is None:
        return None
    found = [_dimension(item) for item in table.tables(_SPARSITY["dim_metadata"])]
    order = table.numbers(_SPARSITY["traversal_order"], "i")
    blocks = table.numbers(_SPARSITY["block_map"], "i")
    if max(len(found), len(order), len(blocks)) > 2 * MAX_RANK:
        raise DamageError("a sparse tensor of too many dimensions", table.position)
    return Sparsity(order, blocks, tuple(item for item, _ in found), sum(size for _, size in found))


def _dimension(table: Table) -> tuple[Dimension, int]:
    """A dimension, and the bytes of its indices."""
    compressed = table.integer(_DIMENSION["format"], "b") == 1
    if not compressed:
        return Dimension("dense", table.integer(_DIMENSION["dense_size"], "i")), 0
    segments, first = _vector(table, "array_segments")
    indices, second = _vector(table, "array_indices")
    return Dimension("sparse_csr", 0, segments, indices), first + second


def _vector(table: Table, field: str) -> tuple[int, int]:
    """Count and bytes of the numbers in a SparseIndexVector; they are not read."""
    kind = table.integer(_DIMENSION[f"{field}_type"], "B")
    vector = table.table(_DIMENSION[field]) if 0 < kind < len(_WIDTHS) else None
    count = vector.count(0, _WIDTHS[kind]) if vector else 0
    return count, count * _WIDTHS[kind] if count else 0
