"""An operator as constraints look at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor
from pytest_edgebudget.graph.values import integers

_FIRST = {"TRANSPOSE_CONV": 2, "SPLIT": 1}
"""The position of the feature map among the inputs, where it is not the first."""

_TWO = frozenset(
    {
        "ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "POW",
        "FLOOR_DIV", "FLOOR_MOD", "BATCH_MATMUL", "EQUAL", "NOT_EQUAL", "GREATER",
        "GREATER_EQUAL", "LESS", "LESS_EQUAL", "LOGICAL_AND", "LOGICAL_OR",
    }
)  # fmt: skip
_ALL = frozenset({"CONCATENATION", "PACK", "ADD_N", "SELECT", "SELECT_V2"})
_WEIGHTED = frozenset(
    {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "CONV_3D"}
)


@dataclass(frozen=True, slots=True)
class View:
    """An operator of a subgraph, with names for its tensors."""

    subgraph: Subgraph
    op: Op

    def tensor(self, index: int) -> Tensor | None:
        """A tensor of the subgraph; None for a negative index."""
        return self.subgraph.tensors[index] if index >= 0 else None

    def input(self, position: int) -> Tensor | None:
        """An input; None where it is left out."""
        inputs = self.op.inputs
        return self.tensor(inputs[position]) if position < len(inputs) else None

    @property
    def ifm(self) -> Tensor | None:
        """The first feature map that comes in."""
        return self.input(_FIRST.get(self.op.kind, 0))

    @property
    def ofm(self) -> Tensor | None:
        """The first output."""
        return self.tensor(self.op.outputs[0]) if self.op.outputs else None

    @property
    def weights(self) -> Tensor | None:
        """The weights of a convolution or of a fully connected layer."""
        return self.input(1) if self.op.kind in _WEIGHTED else None

    @property
    def bias(self) -> Tensor | None:
        """The bias of such a layer."""
        place = 3 if self.op.kind == "TRANSPOSE_CONV" else 2
        return self.input(place) if self.op.kind in _WEIGHTED else None

    @property
    def maps_in(self) -> tuple[Tensor, ...]:
        """The feature maps that come in, constant operands among them."""
        if self.op.kind in _ALL:
            found = [self.tensor(index) for index in self.op.inputs]
        elif self.op.kind in _TWO:
            found = [self.input(0), self.input(1)]
        else:
            found = [self.ifm]
        return tuple(each for each in found if each is not None)

    @property
    def maps_out(self) -> tuple[Tensor, ...]:
        """The outputs."""
        return tuple(t for i in self.op.outputs if (t := self.tensor(i)) is not None)

    def named(self, name: str) -> tuple[Tensor, ...]:
        """
        The tensors that a table calls *name*.

        "maps" are feature maps in and out, "inputs" all inputs, "input:2" the
        third; "ifm", "ofm", "weights", "bias", "maps_in", "maps_out" as above.
        """
        if name == "maps":
            return (*self.maps_in, *self.maps_out)
        if name in ("maps_in", "maps_out"):
            return self.maps_in if name == "maps_in" else self.maps_out
        if name == "inputs":
            found = [self.tensor(index) for index in self.op.inputs]
        elif name.startswith("input:"):
            found = [self.input(int(name[6:]))]
        else:
            found = [{"ifm": self.ifm, "ofm": self.ofm, "bias": self.bias}.get(name, self.weights)]
        return tuple(each for each in found if each is not None)

    def number(self, name: str, default: int = 0) -> int:
        """An integer attribute."""
        value = self.op.attributes.get(name, default)
        return value if isinstance(value, int) else default

    def integers(self, position: int) -> tuple[int, ...] | None:
        """The values of a small constant input; None where it is none."""
        return integers(self.input(position))

    @property
    def strides(self) -> tuple[int, int]:
        """Height and width of the stride; 1 where the operator has none."""
        return self.number("stride_h", 1), self.number("stride_w", 1)

    @property
    def dilation(self) -> tuple[int, int]:
        """Height and width of the dilation; 1 where the operator has none."""
        return self.number("dilation_h_factor", 1), self.number("dilation_w_factor", 1)

    @property
    def kernel(self) -> tuple[int, int] | None:
        """Height and width of the window; None where there is none, or it is unknown."""
        if "filter_height" in self.op.attributes:
            return self.number("filter_height"), self.number("filter_width")
        weights = self.weights
        if weights is None or weights.shape is None or len(weights.shape) != 4:
            return None
        return weights.shape[1], weights.shape[2]


Options = Mapping[str, Any]
Check = Callable[[View, Options], str]
"""What is wrong, in a few words with the figure; "" when the condition holds or is unknown."""


def dims(tensor: Tensor | None) -> tuple[int, ...] | None:
    """A shape with a batch of one where the batch is open; None when a size is unknown or 0."""
    if tensor is None or tensor.shape is None:
        return None
    shape = tensor.shape
    if shape and shape[0] < 0:
        shape = (1, *shape[1:])
    return None if any(size < 1 for size in shape) else shape


def hwc(tensor: Tensor | None) -> tuple[int, int, int] | None:
    """Height, width and depth, with ones in front of a smaller rank."""
    shape = dims(tensor)
    if shape is None:
        return None
    padded = (1, 1, 1, *shape)
    return padded[-3], padded[-2], padded[-1]


def by(sizes: tuple[int, ...] | list[int]) -> str:
    """Sizes for people: 3x3."""
    return "x".join(map(str, sizes)) or "a scalar"
