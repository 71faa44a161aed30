"""What a kernel's temporary tensor is, and how a kernel sees its op."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_edgebudget.graph.dtypes import MAX_COUNT, byte_size
from pytest_edgebudget.graph.ir import Op, Tensor
from pytest_edgebudget.graph.memory_litert_homes import Home
from pytest_edgebudget.graph.memory_sizes import elements, shape_of

OPTIMISED = "builtin"
"""The kernels of LiteRT's BUILTIN_WITHOUT_DEFAULT_DELEGATES."""


class UnknownScratch(Exception):
    """The scratch memory of an op is not known; the message says which and why."""


def tensor_bytes(tensor: Tensor) -> int:
    """
    What a tensor takes in LiteRT, where elements of less than a byte are packed.

    0 for types of no fixed size, and for sizes that no runtime can address.
    Source: BytesRequired in tflite/util.cc.
    """
    size = byte_size(tensor.dtype, shape_of(tensor)) or 0
    return size if size < MAX_COUNT else 0


@dataclass(frozen=True, slots=True)
class Temporary:
    """*size* bytes at *home*; *name* says what for."""

    name: str
    size: int
    home: Home = Home.ARENA


@dataclass(frozen=True, slots=True)
class Use:
    """An op among its subgraph's *tensors* and their *homes*, run by *kernels*."""

    op: Op
    tensors: Sequence[Tensor]
    homes: Sequence[Home]
    kernels: str

    def input(self, position: int) -> Tensor | None:
        """The tensor at an input's position; None when it is left out."""
        index = self.op.inputs[position] if position < len(self.op.inputs) else -1
        return self.tensors[index] if index >= 0 else None

    def dtype(self, position: int) -> str:
        """The type of an input; "" when it is left out."""
        tensor = self.input(position)
        return tensor.dtype if tensor else ""

    def shape(self, position: int) -> tuple[int, ...]:
        """The shape of an input."""
        tensor = self.input(position)
        return shape_of(tensor) if tensor else ()

    def elements(self, position: int) -> int:
        """The number of elements of an input."""
        tensor = self.input(position)
        return elements(tensor) if tensor else 0

    def bytes(self, position: int) -> int:
        """The bytes of an input."""
        tensor = self.input(position)
        return tensor_bytes(tensor) if tensor else 0

    @property
    def output(self) -> tuple[int, ...]:
        """The shape of the first output."""
        index = self.op.outputs[0] if self.op.outputs else -1
        return shape_of(self.tensors[index]) if index >= 0 else ()

    def known(self, position: int) -> bool:
        """Whether the value of an input is known when ops are prepared."""
        index = self.op.inputs[position] if position < len(self.op.inputs) else -1
        return index >= 0 and self.homes[index] is Home.READ_ONLY

    def constant(self, position: int) -> bool:
        """Whether an input is a constant of the file."""
        tensor = self.input(position)
        return tensor is not None and tensor.data is not None

    def number(self, name: str) -> int:
        """An attribute that is a number; 1 when the file does not say."""
        value = self.op.attributes.get(name, 1)
        return int(value) if isinstance(value, int | float) else 1

    @property
    def optimised(self) -> bool:
        """Whether the op runs with LiteRT's optimised kernels."""
        return self.kernels == OPTIMISED
