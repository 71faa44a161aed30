"""
The same constant is stored more than once.

What it finds
    Constants with the same bytes in several places of the file, when the copies take at
    least two percent of it (and 256 bytes). Tensors that share one buffer are fine.

Why it hurts
    Each copy takes flash, and the page cache when it is used. Compression does not help
    where the model is run from flash as it is.

Example
    A layer that is called twice and exported by tracing; an embedding that is also the
    output projection; filters of ones and zeros for fixed upsampling.

Instead
    For .tflite, convert with a current TFLiteConverter, which stores equal constants
    once, or let the tensors point to one buffer. For .onnx, deduplicate the initializers:
    onnx-ir's DeduplicateInitializersPass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_edgebudget.graph.ir import Graph, Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.structure._ops import plural, size

_SMALLEST = 64
"""Bytes of a constant worth a look: below it are shapes, axes and single numbers."""

_SHARE, _LEAST = 0.02, 256


def check(model: ModelFile) -> Iterator[Finding]:
    """Compare constants of one size: first by a sample, then by all bytes."""
    groups = [group for same in _candidates(model.graph) for group in _equal(same)]
    wasted = sum(_wasted(group) for group in groups)
    whole = model.graph.size + model.graph.external_size
    if not groups or wasted < max(_LEAST, _SHARE * whole):
        return
    largest = max(groups, key=_wasted)
    copies = sum(len(group) - 1 for group in groups)
    message = (
        f"{plural(copies, 'constant')} stored again take{'s' if copies == 1 else ''} "
        f"{size(wasted)} ({wasted / whole:.0%} of the file); the largest has "
        f"{size(largest[0].stored_bytes)} and is there {len(largest)} times"
    )
    yield Finding(message, largest[0].name, saves=wasted)


def _wasted(group: list[Tensor]) -> int:
    return sum(tensor.stored_bytes for tensor in group[1:])


def _candidates(graph: Graph) -> Iterable[list[Tensor]]:
    """Constants that may be equal: of one size, with an equal sample. Each view once."""
    seen: set[int] = set()
    same: dict[tuple[int, bytes], list[Tensor]] = {}
    for subgraph in graph.subgraphs:
        for tensor in subgraph.tensors:
            view = tensor.data
            length = 0 if view is None else len(view)
            if view is None or length < _SMALLEST or id(view) in seen:
                continue
            seen.add(id(view))
            sample = bytes(view[length // 2 : length // 2 + 16])
            same.setdefault((length, sample), []).append(tensor)
    return (group for group in same.values() if len(group) > 1)


def _equal(candidates: list[Tensor]) -> Iterator[list[Tensor]]:
    """The groups of more than one whose bytes have one checksum and are the same."""
    from zlib import crc32  # most models have no candidates

    by_sum: dict[int, list[Tensor]] = {}
    for tensor in candidates:
        by_sum.setdefault(crc32(tensor.data or b""), []).append(tensor)
    for group in by_sum.values():
        same = [tensor for tensor in group if tensor.data == group[0].data]
        if len(same) > 1:
            yield same


RULE = Rule(
    code="EB205",
    name="duplicate-constants",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=check,
)
