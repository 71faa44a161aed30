"""
The content of small integer tensors: exporters compute shapes in the graph.

``Reshape(x, Concat(Gather(Shape(x), 0), [64]))`` is how a Flatten is written.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

from pytest_edgebudget.graph.shape_view import ValueRule, Values, View


def _shape(view: View) -> Values | None:
    x = view.shape(0)
    if x is None:
        return None
    end = view.integer("end", len(x))
    return tuple(n if n >= 0 else None for n in x)[view.integer("start", 0) : end]


def _same(view: View) -> Values | None:
    return view.values(0)


def _concat(view: View) -> Values | None:
    joined: list[int | None] = []
    for index in range(len(view.op.inputs)):
        part = view.values(index)
        if part is None:
            return None
        joined += part
    return tuple(joined)


def _gather(view: View) -> Values | None:
    x, indices = view.values(0), view.constant(1)
    if x is None or indices is None:
        return None
    return tuple(x[i] for i in indices)


def _slice(view: View) -> Values | None:
    x, starts, ends = view.values(0), view.constant(1), view.constant(2)
    if "starts" in view.op.attributes:
        starts, ends = view.integers("starts"), view.integers("ends")
    steps = view.constant(4) if view.given(4) else (1,)
    if x is None or not starts or not ends or not steps:
        return None
    return x[slice(starts[0], ends[0], steps[0])]


def _elementwise(operation: Callable[[int, int], int]) -> ValueRule:
    """Two vectors of one length, or one of them a single number."""

    def rule(view: View) -> Values | None:
        left, right = view.values(0), view.values(1)
        if left is None or right is None or len(view.op.inputs) != 2:
            return None
        length = max(len(left), len(right))
        a, b = (side * length if len(side) == 1 else side for side in (left, right))
        return tuple(
            None if x is None or y is None else operation(x, y) for x, y in zip(a, b, strict=True)
        )

    return rule


def _product(view: View) -> Values | None:
    x = view.constant(0)
    return None if x is None else (math.prod(x),)


RULES: Mapping[str, ValueRule] = {
    "Shape": _shape,
    **dict.fromkeys(("Cast", "Identity", "Squeeze", "Unsqueeze", "Reshape"), _same),
    "Concat": _concat,
    "Gather": _gather,
    "ReduceProd": _product,
    "Add": _elementwise(operator.add),
    "Div": _elementwise(lambda x, y: x // y if x >= 0 and y > 0 else int(x / y)),
    "Max": _elementwise(max),
    "Min": _elementwise(min),
    "Mul": _elementwise(operator.mul),
    "Sub": _elementwise(operator.sub),
    "Slice": _slice,
}
"""Only for outputs of rank 0 or 1; the content of a scalar is a tuple of one."""
