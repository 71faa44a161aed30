"""
Two ops in a row undo each other, or one could do the work of both.

What it finds
    Transposes whose permutations compose to none at all, or to one - also with ops
    between them that work on each element alone; casts to a wider type and back;
    reshapes of reshapes.

Why it hurts
    A transpose copies the whole tensor with scattered reads (the bytes are named in the
    message), a cast copies it into a wider one. onnxruntime removes such transposes and
    casts when it loads a model, so in .onnx they are notes; the runtimes of TensorFlow
    Lite remove nothing.

Example
    TRANSPOSE (0, 2, 3, 1), RELU, TRANSPOSE (0, 3, 1, 2): a model in channels-first order
    that was converted layer by layer.

Instead
    Keep one layout through the whole model and convert it in one go; onnxsim (.onnx)
    removes pairs. For reshapes, export with fixed shapes.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Op, Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.links import Links
from pytest_edgebudget.lint.structure._ops import (
    CASTS,
    ELEMENTWISE,
    TRANSPOSES,
    VIEWS,
    bytes_once,
    dims,
    index_of,
    input_of,
    output_of,
    permutation,
    shown,
    size,
)

_LONGEST = 8
_NOTHING = Tensor("", "", None)

_HOLDS = {
    "float16": {"float32", "float64"}, "bfloat16": {"float32", "float64"}, "float32": {"float64"},
    "bool": {"uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"},
    "int8": {"int16", "int32", "int64", "float16", "float32", "float64"},
    "uint8": {"int16", "int32", "int64", "float16", "float32", "float64"},
    "int16": {"int32", "int64", "float32", "float64"},
    "uint16": {"int32", "int64", "float32", "float64"},
    "int32": {"int64", "float64"}, "uint32": {"int64", "float64"},
}  # fmt: skip
"""The types that hold every value of a type exactly."""


def check(model: ModelFile) -> Iterator[Finding]:
    """Look at each op that only rearranges, and at what it gets its input from."""
    for links in model.links:
        for op in links.subgraph.ops:
            found = None
            if op.kind in TRANSPOSES:
                found = _transposes(op, links)
            elif op.kind in CASTS:
                found = _casts(op, links)
            elif op.kind in VIEWS:
                found = _undone_view(op, links)
            if found is not None:
                yield found
    yield from _double_views(model)


def _transposes(op: Op, links: Links) -> Finding | None:
    first = _transpose_before(op, links)
    if first is None:
        return None
    sub = links.subgraph
    inner, outer = permutation(sub, first), permutation(sub, op)
    if inner is None or outer is None or len(inner) != len(outer):
        return None
    both = tuple(inner[axis] for axis in outer)
    if both == tuple(range(len(both))):
        message = f"{op.kind} undoes the {first.kind} '{shown(first)}'"
    else:
        message = f"{op.kind} and the {first.kind} '{shown(first)}' could be one, of {both}"
    return Finding(message + _moved(op, links), shown(op), severity=_at_load(op))


def _transpose_before(op: Op, links: Links) -> Op | None:
    """The transpose before *op*, with nothing but elementwise ops between them."""
    index = index_of(op, 0)
    for _ in range(_LONGEST):
        before = links.producer(index)
        if before is None or before.kind not in TRANSPOSES | ELEMENTWISE:
            return None
        if before.kind in TRANSPOSES:
            return before
        # The op between would have to work in the other layout: nobody else may see it.
        if links.only_consumer(index) is None or links.only_consumer(index_of(before, 0)) is None:
            return None
        index = index_of(before, 0)
    return None


def _casts(op: Op, links: Links) -> Finding | None:
    first = links.producer(index_of(op, 0))
    if first is None or first.kind not in CASTS:
        return None
    source, last = input_of(links.subgraph, first, 0), output_of(links.subgraph, op)
    middle = output_of(links.subgraph, first)
    if source is None or middle is None or last is None or source.dtype != last.dtype:
        return None
    if middle.dtype not in _HOLDS.get(source.dtype, ()):
        return None  # the first cast rounds or cuts off: both are needed
    message = f"{op.kind} to {last.dtype} undoes the {first.kind} to {middle.dtype}"
    return Finding(message + _moved(first, links), shown(op), severity=_at_load(op))


def _undone_view(op: Op, links: Links) -> Finding | None:
    first = links.producer(index_of(op, 0))
    if first is None or first.kind not in VIEWS or not _returns(op, first, links):
        return None
    shape = dims((output_of(links.subgraph, op) or _NOTHING).shape or ())
    message = f"{op.kind} undoes the {first.kind} '{shown(first)}': both are {shape}"
    return Finding(message, shown(op), severity=Severity.NOTE)


def _returns(op: Op, first: Op, links: Links) -> bool:
    """Whether two views end at the shape that they began with; one open size is enough."""
    source, last = input_of(links.subgraph, first, 0), output_of(links.subgraph, op)
    if source is None or last is None or source.shape is None:
        return False
    return source.shape == last.shape and source.shape.count(-1) < 2


def _double_views(model: ModelFile) -> Iterator[Finding]:
    """Reshapes behind reshapes that nobody else uses: one finding for all."""
    found = []
    for links in model.links:
        for op in links.subgraph.ops:
            index = index_of(op, 0) if op.kind in VIEWS else -1
            first = links.producer(index)
            if first is None or first.kind not in VIEWS or links.only_consumer(index) is None:
                continue
            if not _returns(op, first, links):
                found.append((op, first))
    if found:
        op, first = found[0]
        others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        message = f"{op.kind} right behind {first.kind}{others}: one of them is enough"
        yield Finding(message, shown(op), severity=Severity.NOTE)


def _moved(op: Op, links: Links) -> str:
    moved = bytes_once(output_of(links.subgraph, op))
    return f": {size(moved)} are copied for nothing" if moved else ""


def _at_load(op: Op) -> Severity | None:
    """A note where the runtime removes the pair when it loads the model."""
    return None if op.kind.isupper() else Severity.NOTE


RULE = Rule(
    code="EB204",
    name="cancelling-ops",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=check,
)
