"""
A reader of the protobuf wire format that believes nothing it has not checked.

Every length is checked against the message around it, so work and memory are
bounded by the file's size times the depth of nesting, which is limited.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_edgebudget.graph.damage import DamageError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_DEPTH = 64
_FIXED = {FIXED64: 8, FIXED32: 4}


@dataclass(frozen=True, slots=True)
class Value:
    """A field's value: bytes *start* to *end* of the file, or a varint in *number*."""

    wire: int
    start: int
    end: int
    number: int = 0


class Message:
    """
    One message: bytes *start* to *end* of *data*, its fields by number.

    Raises DamageError when the bytes are not a message.
    """

    __slots__ = ("data", "depth", "end", "fields", "start")

    def __init__(self, data: memoryview, start: int, end: int, depth: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise DamageError(f"messages nested more than {MAX_DEPTH} deep", start)
        self.data, self.start, self.end, self.depth = data, start, end, depth
        self.fields: dict[int, list[Value]] = {}
        for number, value in _parse(data, start, end):
            self.fields.setdefault(number, []).append(value)

    def __contains__(self, field: int) -> bool:
        return field in self.fields

    def integer(self, field: int, default: int = 0) -> int:
        """A signed 64-bit varint; the last one counts."""
        values = self.fields.get(field)
        if not values:
            return default
        self._expect(values[-1], VARINT)
        return _signed(values[-1].number)

    def integers(self, field: int) -> list[int]:
        """Repeated signed varints, packed or not."""
        numbers: list[int] = []
        for value in self.fields.get(field, ()):
            if value.wire == VARINT:
                numbers.append(_signed(value.number))
                continue
            self._expect(value, BYTES)
            position = value.start
            while position < value.end:
                number, position = _varint(self.data, position, value.end)
                numbers.append(_signed(number))
        return numbers

    def packed(self, field: int, item: int) -> memoryview:
        """Repeated fixed-size numbers as their bytes; a view when they are packed."""
        parts = [self.data[value.start : value.end] for value in self.fields.get(field, ())]
        view = parts[0] if len(parts) == 1 else memoryview(b"".join(parts))
        if len(view) % item:
            raise DamageError(f"{len(view)} bytes of {item}-byte numbers", self.start)
        return view

    def real(self, field: int) -> float:
        """A 32-bit float; 0 when absent."""
        values = self.fields.get(field)
        if not values:
            return 0.0
        self._expect(values[-1], FIXED32)
        return float(struct.unpack_from("<f", self.data, values[-1].start)[0])

    def view(self, field: int) -> memoryview:
        """The bytes of a field, not copied."""
        values = self.fields.get(field)
        if not values:
            return self.data[:0]
        self._expect(values[-1], BYTES)
        return self.data[values[-1].start : values[-1].end]

    def text(self, field: int) -> str:
        """A string; bytes that are not UTF-8 are replaced."""
        return str(self.view(field), "utf-8", "replace")

    def texts(self, field: int) -> list[str]:
        """Repeated strings."""
        return [str(view, "utf-8", "replace") for view in self.views(field)]

    def views(self, field: int) -> list[memoryview]:
        """Repeated bytes."""
        values = self.fields.get(field, [])
        for value in values:
            self._expect(value, BYTES)
        return [self.data[value.start : value.end] for value in values]

    def message(self, field: int) -> Message | None:
        """A message; the last one counts."""
        values = self.fields.get(field)
        return self._nested(values[-1]) if values else None

    def messages(self, field: int) -> list[Message]:
        """Repeated messages."""
        return [self._nested(value) for value in self.fields.get(field, ())]

    def _nested(self, value: Value) -> Message:
        self._expect(value, BYTES)
        return Message(self.data, value.start, value.end, self.depth + 1)

    def _expect(self, value: Value, wire: int) -> None:
        if value.wire != wire:
            raise DamageError(f"a field of wire type {value.wire}, not {wire}", value.start)


def _parse(data: memoryview, start: int, end: int) -> Iterator[tuple[int, Value]]:
    position = start
    while position < end:
        begin = position
        key, position = _varint(data, position, end)
        number, wire = key >> 3, key & 7
        if not number:
            raise DamageError("field number 0", begin)
        value, position = _value(data, wire, position, end)
        yield number, value


def _value(data: memoryview, wire: int, start: int, end: int) -> tuple[Value, int]:
    if wire == VARINT:
        number, position = _varint(data, start, end)
        return Value(wire, start, position, number), position
    if wire == BYTES:
        length, start = _varint(data, start, end)
    elif wire in _FIXED:
        length = _FIXED[wire]
    else:
        raise DamageError(f"wire type {wire}", start)
    if start + length > end:
        raise DamageError(f"a field of {length:,} bytes leaves its message", start)
    return Value(wire, start, start + length), start + length


def _varint(data: memoryview, position: int, end: int) -> tuple[int, int]:
    """An unsigned varint, and the position behind it."""
    number = shift = 0
    while position < end and shift < 70:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & 0xFFFF_FFFF_FFFF_FFFF, position
        shift += 7
    raise DamageError("a number without an end", position)


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number
