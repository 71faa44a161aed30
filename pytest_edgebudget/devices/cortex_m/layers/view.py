"""An operator as the makers of C see it: checked shapes, types, scales and constants."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_edgebudget.devices.cortex_m.multipliers import Factor, activation_range, factor
from pytest_edgebudget.graph.ir import Op, Tensor

BYTES: Mapping[str, int] = {"int8": 1, "int32": 4, "int64": 8, "float32": 4}
"""Of an element; other types are not compiled."""

FINEST = 2.0**60
"""What no scale is above, and none below one divided by it."""

LARGEST = 1 << 28
"""Elements of a tensor: far above any microcontroller, far below what 32 bits hold."""


class Unsupported(Exception):
    """There is no C for this; says why, as a clause."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """The name of an array in C."""

    name: str


Field = int | float | Symbol | None | Sequence["Field"] | Mapping[str, "Field"]


@dataclass(frozen=True, slots=True)
class Call:
    """
    One call of a C function: *function(&fields, inputs..., output + offset)*.

    *struct* is the type of *fields*; *inputs* and *output* are tensor indices.
    """

    function: str
    struct: str
    fields: Mapping[str, Field]
    inputs: tuple[int, ...]
    output: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """
    An operator with its tensors.

    *keep* puts bytes into flash and returns their name in C.
    """

    op: Op
    tensors: Sequence[Tensor]
    keep: Callable[[bytes], Symbol] = field(repr=False)

    def input(self, position: int) -> Tensor:
        """Raises Unsupported where it is left out."""
        if not self.has(position):
            raise Unsupported(f"input {position} is left out")
        return self.tensors[self.op.inputs[position]]

    def has(self, position: int) -> bool:
        """Whether there is such an input."""
        return position < len(self.op.inputs) and self.op.inputs[position] >= 0

    @property
    def output(self) -> Tensor:
        """The only one."""
        if len(self.op.outputs) != 1 or self.op.outputs[0] < 0:
            raise Unsupported(f"{len(self.op.outputs)} outputs")
        return self.tensors[self.op.outputs[0]]

    def call(
        self,
        function: str,
        struct: str,
        fields: Mapping[str, Field],
        positions: Sequence[int] = (0,),
        offset: int = 0,
    ) -> Call:
        """A call with the inputs at *positions*."""
        inputs = tuple(self.op.inputs[position] for position in positions)
        return Call(function, struct, fields, inputs, self.op.outputs[0], offset)

    def number(self, name: str, least: int = 1) -> int:
        """A whole number among the options."""
        value = self.op.attributes.get(name, least)
        if not isinstance(value, int) or not least <= value < LARGEST:
            raise Unsupported(f"{name} = {value}")
        return int(value)

    def activation(self) -> tuple[int, int]:
        """The range of the fused activation, in steps of the output."""
        name = str(self.op.attributes.get("fused_activation_function", "NONE"))
        found = activation_range(name, scale(self.output), zero(self.output))
        if found is None:
            raise Unsupported(f"the fused activation {name}")
        return found

    def numbers(self, position: int) -> tuple[int, ...]:
        """The values of a constant of whole numbers."""
        tensor = self.input(position)
        code = {"int32": "i", "int64": "q"}.get(tensor.dtype)
        if code is None:
            raise Unsupported(f"{tensor.dtype} numbers where int32 are needed")
        data = content(tensor)
        return struct.unpack(f"<{len(data) // BYTES[tensor.dtype]}{code}", data)


def content(tensor: Tensor) -> bytes:
    """The bytes of a constant, of the length that its shape gives."""
    if tensor.data is None:
        raise Unsupported(f"{tensor.name} is no constant")
    if tensor.sparse:
        raise Unsupported(f"{tensor.name} is stored sparse")
    if len(tensor.data) != size(tensor):
        raise Unsupported(f"{tensor.name} has {len(tensor.data)} bytes, its shape {size(tensor)}")
    return bytes(tensor.data)


def shape(tensor: Tensor) -> tuple[int, ...]:
    """Sizes of all dimensions; a batch that is left open is what a runtime starts with."""
    found = tensor.default_shape or tensor.shape
    if found is None or any(n < 1 for n in found) or math.prod(found) > LARGEST:
        raise Unsupported(f"{tensor.name} of shape {found}")
    return found or (1,)


def elements(tensor: Tensor) -> int:
    """How many there are."""
    return math.prod(shape(tensor))


def size(tensor: Tensor) -> int:
    """Bytes."""
    if tensor.dtype not in BYTES:
        raise Unsupported(f"{tensor.dtype or 'untyped'} tensors")
    return elements(tensor) * BYTES[tensor.dtype]


def need(tensor: Tensor, dtype: str) -> Tensor:
    """The same tensor; raises Unsupported where it is of another type."""
    if tensor.dtype != dtype:
        raise Unsupported(f"{tensor.dtype or 'untyped'} numbers, where {dtype} is compiled")
    return tensor


def scale(tensor: Tensor) -> float:
    """The only scale of an 8-bit tensor."""
    found = tensor.quantization
    if found is None or len(found.scales) != 1 or found.block_size is not None:
        raise Unsupported(f"{tensor.name} has not one scale")
    if not 1 / FINEST < found.scales[0] < FINEST:
        raise Unsupported(f"{tensor.name} has the scale {found.scales[0]}")
    return found.scales[0]


def zero(tensor: Tensor) -> int:
    """Its zero point."""
    found = tensor.quantization
    points = found.zero_points if found else ()
    value = points[0] if points else 0
    if not -128 <= value <= 127:
        raise Unsupported(f"{tensor.name} has the zero point {value}")
    return value


def scaling(real: float) -> Factor:
    """A factor; raises Unsupported where it shifts a sum out of its 32 bits."""
    found = factor(real)
    if found.shift > 30:
        raise Unsupported(f"a factor of {real:.3g} between scales")
    return found


def factors_of(view: View, factors: Sequence[Factor]) -> dict[str, Field]:
    """Multipliers and shifts, one a channel, as arrays in flash."""
    multipliers = struct.pack(f"<{len(factors)}i", *(each.multiplier for each in factors))
    shifts = struct.pack(f"<{len(factors)}b", *(each.shift for each in factors))
    return {"multiplier": view.keep(multipliers), "shift": view.keep(shifts)}
