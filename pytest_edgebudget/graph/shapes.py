"""
Shapes of an ONNX graph's intermediate tensors, where the file does not say.

Unknown stays unknown: an op without a rule, or one whose inputs contradict
each other, has no output shape. Never a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_edgebudget.graph import shape_moves, shape_products, shape_values, shape_windows
from pytest_edgebudget.graph.dtypes import MAX_COUNT, MAX_RANK, holdable
from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor
from pytest_edgebudget.graph.onnx_dtypes import output_dtype
from pytest_edgebudget.graph.shape_view import Shape, ShapeRules, Values, View
from pytest_edgebudget.graph.values import integers

_RULES: ShapeRules = {**shape_moves.RULES, **shape_windows.RULES, **shape_products.RULES}

# A damaged file may give a rule too few dimensions, or a stride of zero.
_CONTRADICTIONS = (ArithmeticError, LookupError, TypeError, ValueError)

_LONGEST = 64
"""Contents of at most so many elements are followed: no shape has more dimensions."""


def with_shapes(subgraph: Subgraph) -> Subgraph:
    """The same graph, with the shapes and types that follow from its inputs."""
    tensors = list(subgraph.tensors)
    contents: dict[int, Values | None] = {
        i: integers(tensor, _LONGEST) for i, tensor in enumerate(tensors) if tensor.constant
    }
    for op in subgraph.ops:
        _infer(op, tensors, contents)
    return replace(subgraph, tensors=tuple(tensors))


def _infer(op: Op, tensors: list[Tensor], contents: dict[int, Values | None]) -> None:
    view = View(
        op,
        [tensors[i].shape if i >= 0 else None for i in op.inputs],
        [contents.get(i) for i in op.inputs],
    )
    shapes = _shapes(view)
    for position, index in enumerate(op.outputs):
        if index < 0 or tensors[index].constant:
            continue
        tensor = tensors[index]
        found = _sound(shapes[position]) if position < len(shapes) else None
        shape = _merged(tensor.shape, found)
        dtype = tensor.dtype or output_dtype(op, position, tensors)
        if shape != tensor.shape or dtype != tensor.dtype:
            tensors[index] = tensor.shaped(shape, dtype)
        if position == 0 and len(shape or ()) <= 1:
            contents[index] = _content(view)


def _shapes(view: View) -> Sequence[Shape | None]:
    rule = _RULES.get(view.op.kind)
    try:
        return rule(view) if rule else ()
    except _CONTRADICTIONS:
        return ()


def _content(view: View) -> Values | None:
    rule = shape_values.RULES.get(view.op.kind)
    try:
        values = rule(view) if rule else None
    except _CONTRADICTIONS:
        return None
    if values is None or len(values) > _LONGEST:
        return None
    return tuple(n if n is not None and abs(n) < MAX_COUNT else None for n in values)


def _sound(shape: Shape | None) -> Shape | None:
    """The shape, unless a damaged file made it one that no tensor has."""
    if shape is None or len(shape) > MAX_RANK:
        return None
    return shape if not shape or (min(shape) >= -1 and holdable(shape)) else None


def _merged(stated: Shape | None, found: Shape | None) -> Shape | None:
    """What the file states, completed by what was found."""
    if stated is None or stated == found:
        return found
    if found is None or len(stated) != len(found):
        return stated
    both = tuple(b if a < 0 else a for a, b in zip(stated, found, strict=True))
    return _sound(both) or stated
