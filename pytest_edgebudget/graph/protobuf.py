"""
A reader of the protobuf wire format that believes nothing it has not checked.

Every length is checked against the message around it, so work and memory are
bounded by the file's size times the depth of nesting, which is limited.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct

from pytest_edgebudget.graph.damage import DamageError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_DEPTH = 64
_FIXED = {FIXED64: 8, FIXED32: 4}


Value = tuple[int, int, int]
"""A field's value: its wire type, first byte and end; plain, since a file has thousands."""


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
        position = start
        while position < end:
            number, value = _field(data, position, end)
            self.fields.setdefault(number, []).append(value)
            position = value[2]

    def __contains__(self, field: int) -> bool:
        return field in self.fields

    def integer(self, field: int, default: int = 0) -> int:
        """A signed 64-bit varint; the last one counts."""
        values = self.fields.get(field)
        if not values:
            return default
        return _signed(self._varint(values[-1]))

    def integers(self, field: int) -> list[int]:
        """Repeated signed varints, packed or not."""
        numbers: list[int] = []
        for value in self.fields.get(field, ()):
            wire, position, end = value
            if wire == VARINT:
                numbers.append(_signed(self._varint(value)))
                continue
            self._expect(value, BYTES)
            while position < end:
                number, position = _varint(self.data, position, end)
                numbers.append(_signed(number))
        return numbers

    def packed(self, field: int, item: int) -> memoryview:
        """Repeated fixed-size numbers as their bytes; a view when they are packed."""
        parts = [self.data[start:end] for _, start, end in self.fields.get(field, ())]
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
        return float(struct.unpack_from("<f", self.data, values[-1][1])[0])

    def view(self, field: int) -> memoryview:
        """The bytes of a field, not copied."""
        values = self.fields.get(field)
        if not values:
            return self.data[:0]
        self._expect(values[-1], BYTES)
        return self.data[values[-1][1] : values[-1][2]]

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
        return [self.data[start:end] for _, start, end in values]

    def message(self, field: int) -> Message | None:
        """A message; the last one counts."""
        values = self.fields.get(field)
        return self._nested(values[-1]) if values else None

    def messages(self, field: int) -> list[Message]:
        """Repeated messages."""
        return [self._nested(value) for value in self.fields.get(field, ())]

    def _nested(self, value: Value) -> Message:
        self._expect(value, BYTES)
        return Message(self.data, value[1], value[2], self.depth + 1)

    def _varint(self, value: Value) -> int:
        self._expect(value, VARINT)
        return _varint(self.data, value[1], value[2])[0]

    def _expect(self, value: Value, wire: int) -> None:
        if value[0] != wire:
            raise DamageError(f"a field of wire type {value[0]}, not {wire}", value[1])


def _field(data: memoryview, position: int, end: int) -> tuple[int, Value]:
    """Number and value of the field at *position*."""
    key = data[position]
    start = position + 1
    if key > 0x7F:  # nearly all keys and lengths are a byte long
        key, start = _varint(data, position, end)
    wire = key & 7
    if key < 8:
        raise DamageError("field number 0", position)
    if wire == VARINT:
        return key >> 3, (wire, start, _end_of_varint(data, start, end))
    if wire == BYTES:
        length, start = _varint(data, start, end)
    elif wire in _FIXED:
        length = _FIXED[wire]
    else:
        raise DamageError(f"wire type {wire}", position)
    if start + length > end:
        raise DamageError(f"a field of {length:,} bytes leaves its message", start)
    return key >> 3, (wire, start, start + length)


def _end_of_varint(data: memoryview, position: int, end: int) -> int:
    if position < end and data[position] < 0x80:
        return position + 1
    return _varint(data, position, end)[1]


def _varint(data: memoryview, position: int, end: int) -> tuple[int, int]:
    """An unsigned varint, and the position behind it."""
    if position < end and data[position] < 0x80:
        return data[position], position + 1
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
