"""
One layer holds most of the bytes of the model.

What it finds
    A layer whose weights take more than half of the file, in a model with at least three
    layers with weights and 16 KiB or more. It also says why, where it can be seen: a
    dense layer behind a flattened map of positions, or a table of embeddings.

Why it hurts
    It is no mistake, but the one place where bytes can be saved: what makes this layer
    smaller makes the model smaller, and all else hardly matters. A dense layer behind a
    flattened HxW map has a weight for each position; behind a global average pooling it
    has one for all of them, HxW times fewer (the message has the bytes). MobileNet and
    ResNet have no other head (Lin et al. 2013, "Network in Network", section 3.2).

Example
    Conv2D, MaxPooling2D, Flatten, Dense(64): the dense layer has 85 % of the bytes.

Instead
    GlobalAveragePooling2D instead of Flatten, and train again; or pool to 2x2 before it.
    For embeddings a smaller vocabulary or width, or a table in int8 or int4. Quantize,
    prune or factorize this layer first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_edgebudget.graph.claims import Claims
from pytest_edgebudget.graph.constants import origins, used
from pytest_edgebudget.graph.ir import Graph, Op
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.links import Links
from pytest_edgebudget.lint.structure._ops import (
    TRANSPOSES,
    VIEWS,
    dims,
    index_of,
    input_of,
    size,
)

_SHARE, _LAYERS, _LEAST = 0.5, 3, 16 * 1024
_DENSE = frozenset({"FULLY_CONNECTED", "Gemm", "MatMul"})
_TABLES = frozenset({"EMBEDDING_LOOKUP", "GATHER", "Gather"})
_LONGEST = 4


def check(model: ModelFile) -> Iterator[Finding]:
    """Compare the layer with the most bytes with the whole."""
    whole = model.graph.size + model.graph.external_size
    if whole < _LEAST or _most(model.graph) <= _SHARE * whole:
        return
    layers = list(_layers(model.graph))
    if sum(parameters > 0 for _, parameters, _ in layers) < _LAYERS:
        return
    number, (op, _, weight) = max(enumerate(layers), key=lambda item: item[1][2])
    if weight <= _SHARE * whole:
        return
    why = _why(op, model) if number < len(model.graph.ops) else ""
    share = f"{op.kind} holds {weight / whole:.0%} of the file, {size(weight)}"
    yield Finding(f"{share}{why}", op.name.split(";")[0])


def _most(graph: Graph) -> int:
    """Bytes of the constants of one op at the most; it may not be the first that uses them."""
    sizes = [0]
    for subgraph in graph.subgraphs:
        known, tensors = origins(subgraph), subgraph.tensors
        sizes += [
            sum([tensors[index].stored_bytes for _, index in used(op, known)])
            for op in subgraph.ops
        ]
    return max(sizes)


def _layers(graph: Graph) -> Iterator[tuple[Op, int, int]]:
    """Each op with its parameters and the bytes of its constants."""
    claims = Claims(graph.format)
    for subgraph in graph.subgraphs:
        for op, (parameters, stored) in zip(subgraph.ops, claims.of(subgraph), strict=True):
            yield op, parameters, sum(stored.values())


def _why(op: Op, model: ModelFile) -> str:
    main = model.links[0]
    if op.kind in _TABLES:
        table = input_of(main.subgraph, op, 1 if op.kind == "EMBEDDING_LOOKUP" else 0)
        return f": a table of {dims(table.shape)}" if table and table.shape else ""
    places = _places(op, main) if op.kind in _DENSE else ()
    count = math.prod(places)
    if count <= 1:
        return ""
    # The bytes are those of the constant, which may lie behind a DEQUANTIZE.
    stored = origins(main.subgraph).get(index_of(op, 1), -1)
    weights = main.subgraph.tensors[stored] if stored >= 0 else None
    pooled = f"behind a global average pooling it would have {count} times fewer"
    saved = f", {size(weights.stored_bytes * (count - 1) // count)} less" if weights else ""
    return f": it has weights for each of {dims(places)} positions; {pooled}{saved}"


def _places(op: Op, links: Links) -> tuple[int, ...]:
    """The positions of the map that is flattened before *op*; () when none is."""
    index, flat = index_of(op, 0), _shape(index_of(op, 0), links)
    for _ in range(_LONGEST):
        before = links.producer(index)
        if len(flat) != 2 or before is None or before.kind not in VIEWS:
            return ()
        index = index_of(before, 0)
        shape = _shape(index, links)
        if len(shape) in (3, 4) and math.prod(shape[1:]) == flat[1]:
            last = op.kind == "FULLY_CONNECTED" or _is_transposed(index, links)
            return shape[1:-1] if last else shape[2:]
    return ()


def _shape(index: int, links: Links) -> tuple[int, ...]:
    return links.subgraph.tensors[index].shape or () if index >= 0 else ()


def _is_transposed(index: int, links: Links) -> bool:
    """Whether an .onnx brings its channels to the end, as Keras flattens."""
    before = links.producer(index)
    return before is not None and before.kind in TRANSPOSES


RULE = Rule(
    code="EB209",
    name="dominant-layer",
    severity=Severity.NOTE,
    needs=ModelFile,
    check=check,
)
