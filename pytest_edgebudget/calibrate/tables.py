"""Tables of a .tflite, written by the schema's own names; the reader is `graph.flatbuffer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
from flatbuffers import number_types as numbers

from pytest_edgebudget.graph.tflite_options import Field, layout
from pytest_edgebudget.graph.tflite_schema import ENUMS, TABLES

_FLAGS = {
    "?": numbers.BoolFlags,
    "b": numbers.Int8Flags,
    "B": numbers.Uint8Flags,
    "i": numbers.Int32Flags,
    "I": numbers.Uint32Flags,
    "q": numbers.Int64Flags,
    "Q": numbers.Uint64Flags,
    "f": numbers.Float32Flags,
}
_ALIGNED = 16  # what runtimes expect of weights that they use from the file


def table(builder: flatbuffers.Builder, name: str, /, **values: Any) -> int:
    """Write a table: plain values, lists, texts, bytes, and (lists of) `Ref` of others."""
    fields = {field.name: field for field in layout(name)}
    ready = {key: _stored(builder, fields[key], value) for key, value in values.items()}
    builder.StartObject(len(TABLES.get(name, "").split()))
    for key, value in ready.items():
        field = fields[key]
        if field.vector or field.code in ("str", "table", "union"):
            builder.PrependUOffsetTRelativeSlot(field.slot, value, 0)
        else:
            builder.PrependSlot(_FLAGS[field.code], field.slot, value, field.default)
    return int(builder.EndObject())


def _stored(builder: flatbuffers.Builder, field: Field, value: Any) -> Any:
    """The value itself, or the offset of what lies outside of the table."""
    if isinstance(value, bytes):
        return _blob(builder, value)
    if field.vector:
        return _vector(builder, field.code, value)
    if field.code == "str":
        return builder.CreateString(value)
    if field.enum and isinstance(value, str):
        return ENUMS[field.enum].split().index(value)
    return value


def _blob(builder: flatbuffers.Builder, data: bytes) -> int:
    builder.StartVector(1, len(data), _ALIGNED)
    start = builder.Head() - len(data)
    builder.head = start
    builder.Bytes[start : start + len(data)] = data
    return int(builder.EndVector())


def _vector(builder: flatbuffers.Builder, code: str, values: Sequence[Any]) -> int:
    if code == "table":
        builder.StartVector(4, len(values), 4)
        for offset in reversed(values):
            builder.PrependUOffsetTRelative(offset)
    else:
        flags = _FLAGS[code]
        builder.StartVector(flags.bytewidth, len(values), flags.bytewidth)
        for value in reversed(values):
            builder.Prepend(flags, value)
    return int(builder.EndVector())
