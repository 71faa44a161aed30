"""Layers with weights of a `.tflite`, as the rules over quantization see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pytest_edgebudget.graph.dtypes import SMALL_INTEGERS, is_float
from pytest_edgebudget.graph.ir import Op, Quantization, Subgraph, Tensor
from pytest_edgebudget.lint.base import ModelFile

_PLACES: Mapping[str, tuple[int, int, int, int]] = {
    "CONV_2D": (0, 1, 2, 0),
    "DEPTHWISE_CONV_2D": (0, 1, 2, 3),
    "FULLY_CONNECTED": (0, 1, 2, 0),
    "TRANSPOSE_CONV": (2, 1, 3, 0),
}
"""Where an op has its activations, its kernel and its bias, and the kernel's output channels."""


@dataclass(frozen=True, slots=True)
class Layer:
    """
    An op with a kernel.

    Attributes:
        op: the op itself.
        read, kernel, output: its activations, its weights, what it makes.
        bias: None when it has none.
        axis: the dimension of *kernel* that has the output channels.
    """

    op: Op
    read: Tensor
    kernel: Tensor
    bias: Tensor | None
    output: Tensor
    axis: int

    @property
    def integer(self) -> bool:
        """Whether it computes on integers."""
        return self.read.dtype in SMALL_INTEGERS and self.output.dtype in SMALL_INTEGERS

    @property
    def hybrid(self) -> bool:
        """Whether it has integer weights and float activations."""
        return is_float(self.read.dtype) and self.kernel.dtype in SMALL_INTEGERS

    @property
    def channels(self) -> int:
        """The number of output channels; 0 when it is not known."""
        shape = self.kernel.shape or ()
        return max(shape[self.axis], 0) if self.axis < len(shape) else 0


@lru_cache(maxsize=1)  # the rules ask one after the other
def layers(model: ModelFile) -> tuple[Layer, ...]:
    """The layers with a kernel, in the order of the ops, those of called subgraphs too."""
    return tuple(_layers(model))


def _layers(model: ModelFile) -> Iterator[Layer]:
    for subgraph in model.graph.subgraphs:
        for op in subgraph.ops:
            if op.kind in _PLACES and not op.custom:
                layer = _layer(op, subgraph)
                if layer is not None:
                    yield layer


def _layer(op: Op, subgraph: Subgraph) -> Layer | None:
    read, kernel, bias, axis = _PLACES[op.kind]
    found = [_input(op, place, subgraph) for place in (read, kernel, bias)]
    output = subgraph.tensors[op.outputs[0]] if op.outputs and op.outputs[0] >= 0 else None
    if found[0] is None or found[1] is None or output is None:
        return None
    return Layer(op, found[0], found[1], found[2], output, axis)


def _input(op: Op, place: int, subgraph: Subgraph) -> Tensor | None:
    index = op.inputs[place] if place < len(op.inputs) else -1
    return subgraph.tensors[index] if index >= 0 else None


def short(name: str) -> str:
    """A name without those of the ops that were fused into it."""
    return name.split(";")[0]


def named(names: list[str], most: int = 3) -> str:
    """The first few of some names, and how many more there are."""
    listed = ", ".join(short(name) for name in names[:most])
    return f"{listed} and {len(names) - most} more" if len(names) > most else listed


def sound(quantization: Quantization | None) -> Quantization | None:
    """*quantization* when all its scales are numbers to reckon with."""
    if quantization is None or not quantization.scales:
        return None
    low, high, total = min(quantization.scales), max(quantization.scales), sum(quantization.scales)
    # min and max may pass over NaN; a sum does not.
    good = low >= SMALLEST and high <= LARGEST and total == total
    return quantization if good else None


SMALLEST, LARGEST = float.fromhex("0x1p-126"), float.fromhex("0x1.fffffep127")
"""The ends of the float32 of full precision."""


def alike(first: Tensor, second: Tensor) -> bool:
    """Whether two tensors hold the same integers for the same numbers."""
    one, other = first.quantization, second.quantization
    if first.dtype != second.dtype or one is None or other is None:
        return False
    if len(one.scales) != len(other.scales) or one.zero_points != other.zero_points:
        return False
    pairs = zip(one.scales, other.scales, strict=True)
    return all(abs(a - b) <= _EQUAL * abs(a) for a, b in pairs)


_EQUAL = 1e-6
