"""
The content of small integer tensors: exporters compute shapes in the graph.

``Reshape(x, Concat(Gather(Shape(x), 0), [64]))`` is how a Flatten is written.
"""

from __future__ import annotations

from collections.abc import Mapping

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


RULES: Mapping[str, ValueRule] = {
    "Shape": _shape,
    **dict.fromkeys(("Cast", "Identity", "Squeeze", "Unsqueeze", "Reshape"), _same),
    "Concat": _concat,
    "Gather": _gather,
    "Slice": _slice,
}
"""Only for outputs of rank 0 or 1; the content of a scalar is a tuple of one."""
