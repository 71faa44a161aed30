"""
Attributes of ONNX nodes as plain values.

Source of all field numbers: onnx/onnx.proto of ONNX 1.23.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from pytest_edgebudget.graph.damage import DamageError
from pytest_edgebudget.graph.external import ExternalFiles
from pytest_edgebudget.graph.ir import Tensor
from pytest_edgebudget.graph.onnx_tensors import read_sparse_tensor, read_tensor
from pytest_edgebudget.graph.protobuf import Message

_TYPE = 20
_GRAPHS = (5, 10)

Reader = Callable[[Message, ExternalFiles], object]

_READERS: Mapping[int, tuple[int, Reader]] = {
    1: (2, lambda m, _: m.real(2)),
    2: (3, lambda m, _: m.integer(3)),
    3: (4, lambda m, _: _string(m.view(4))),
    4: (5, lambda m, files: _tensor(m.message(5), files)),
    6: (7, lambda m, _: _floats(m.packed(7, 4))),
    7: (8, lambda m, _: tuple(m.integers(8))),
    8: (9, lambda m, _: tuple(m.texts(9))),
    9: (10, lambda m, files: tuple(read_tensor(t, files) for t in m.messages(10))),
    11: (22, lambda m, files: tuple(read_sparse_tensor(t, files) for t in m.messages(22))),
}
"""AttributeProto.AttributeType: the field that holds the value, and how it is read."""


def is_graph(message: Message) -> bool:
    """Whether an AttributeProto holds one or more graphs."""
    return message.integer(_TYPE) in _GRAPHS or 6 in message or 11 in message


def read_attribute(message: Message, files: ExternalFiles) -> object:
    """
    The value: a number, a str, a Tensor, or a tuple of them.

    A string that is far too long for a word is not copied: a view of its bytes.
    None for types that are not read (type and reference attributes).
    """
    kind = message.integer(_TYPE)
    if not kind:  # the first exporters wrote no type
        kind = next((kind for kind, (field, _) in _READERS.items() if field in message), 0)
    return _READERS[kind][1](message, files) if kind in _READERS else None


def constant_value(attributes: Mapping[str, object], name: str) -> Tensor | None:
    """What a Constant node makes, as a constant called *name*."""
    for value in attributes.values():
        if isinstance(value, Tensor):
            return value.named(name)
        if isinstance(value, tuple) and value and isinstance(value[0], Tensor):
            return value[0].named(name)
        if isinstance(value, int | float | tuple):
            return _of_numbers(value, name)
    return None


def _of_numbers(value: int | float | tuple[object, ...], name: str) -> Tensor | None:
    """`value_int`, `value_ints`, `value_float`, `value_floats`; strings are left out."""
    items = value if isinstance(value, tuple) else (value,)
    if any(isinstance(item, str) for item in items):
        return None
    code, dtype = ("f", "float32") if any(isinstance(i, float) for i in items) else ("q", "int64")
    data = memoryview(struct.pack(f"<{len(items)}{code}", *items))
    return Tensor(name, dtype, (len(items),) if isinstance(value, tuple) else (), data)


_WORD = 1 << 16


def _string(view: memoryview) -> str | memoryview:
    """Compiled models hide in strings of some vendors' ops (EPContext)."""
    return str(view, "utf-8", "replace") if len(view) <= _WORD else view


def _tensor(message: Message | None, files: ExternalFiles) -> Tensor:
    if message is None:
        raise DamageError("a tensor attribute without a tensor")
    return read_tensor(message, files)


def _floats(data: memoryview) -> tuple[float, ...]:
    return struct.unpack(f"<{len(data) // 4}f", data)
