"""What a shape rule sees of its op, and the arithmetic of shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pytest_edgebudget.graph.dtypes import MAX_RANK
from pytest_edgebudget.graph.ir import Op

Shape = tuple[int, ...]
"""Sizes of dimensions; -1 where one is dynamic."""

Values = tuple[int | None, ...]
"""An integer tensor of rank 0 or 1, where known; None for an element that is not."""


@dataclass(frozen=True, slots=True)
class View:
    """An op with what is known of its *shapes* and *contents*, input by input."""

    op: Op
    shapes: Sequence[Shape | None]
    contents: Sequence[Values | None]

    def shape(self, index: int) -> Shape | None:
        """The shape of an input; None when unknown or left out."""
        return self.shapes[index] if index < len(self.shapes) else None

    def given(self, index: int) -> bool:
        """Whether an optional input is there."""
        return index < len(self.op.inputs) and self.op.inputs[index] >= 0

    def integer(self, name: str, default: int) -> int:
        """A number among the attributes."""
        value = self.op.attributes.get(name, default)
        return int(value) if isinstance(value, int | float) else default

    def text(self, name: str, default: str) -> str:
        """A string among the attributes."""
        value = self.op.attributes.get(name, default)
        return value if isinstance(value, str) else default

    def integers(self, name: str, default: Sequence[int] = ()) -> Shape:
        """Numbers among the attributes. Raises ValueError: more than a shape can have."""
        value = self.op.attributes.get(name)
        if not isinstance(value, tuple):
            return tuple(default)
        if len(value) > 2 * MAX_RANK:
            raise ValueError
        return tuple(int(n) for n in value)

    def values(self, index: int) -> Values | None:
        """The content of a small integer input, in part or in whole."""
        return self.contents[index] if index < len(self.contents) else None

    def constant(self, index: int) -> Shape | None:
        """The content of a small integer input that is wholly known."""
        values = self.values(index)
        if values is None or None in values:
            return None
        return tuple(n for n in values if n is not None)

    def axes(self, index: int, name: str = "axes") -> Shape | None:
        """Axes, an attribute in old operator sets and an input in new ones."""
        if name in self.op.attributes:
            return self.integers(name)
        return self.constant(index) if self.given(index) else ()


ShapeRule = Callable[[View], Sequence[Shape | None]]
ValueRule = Callable[[View], Values | None]
ShapeRules = Mapping[str, ShapeRule]


def size(shape: Sequence[int]) -> int:
    """Number of elements; -1 when a dimension is dynamic."""
    return -1 if min(shape, default=0) < 0 else math.prod(shape)


def broadcast(*shapes: Shape | None) -> Shape | None:
    """Multidirectional broadcasting, as NumPy does it; None when unknown or impossible."""
    rank = max(len(shape) if shape is not None else 0 for shape in shapes)
    result: list[int] = []
    for axis in range(-rank, 0):
        sizes = {shape[axis] for shape in shapes if shape is not None and len(shape) >= -axis}
        fixed = sizes - {1, -1}
        if len(fixed) > 1:
            return None
        result.append(next(iter(fixed), -1 if -1 in sizes else 1))
    return None if None in shapes else tuple(result)
