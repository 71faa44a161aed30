"""
A reader of the protobuf wire format that believes nothing it has not checked.

Every length is checked against the message around it; nesting, and the fields,
numbers and letters that are read in total, are limited: a damaged file costs
an error, never a crash, a hang or memory.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeVar

from pytest_edgebudget.graph.damage import DamageError, LimitError
from pytest_edgebudget.graph.mapped import Data
from pytest_edgebudget.graph.varints import read_varint, signed, varints

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_DEPTH = 64
MOST_FIELDS = 600_000
"""Fields and numbers of a file that are read; a model of 10,000 ops has half of them."""
MOST_TEXT = 32 << 20
"""Bytes of names and other strings of a file that are read."""
MOST_TYPED = 8 << 20
"""Bytes of numbers in typed fields of tensors that are read; large ones are in raw_data."""
SHORT = 128
"""Bytes of the messages that `Message.each` reads once when they are alike."""

Value = tuple[int, int, int]
"""A field's value: its wire type, first byte and end; plain, since a file has thousands."""

T = TypeVar("T")


class Source:
    """The bytes of a file, and how much of it may still be read."""

    __slots__ = ("data", "fields", "text", "typed", "view")

    def __init__(self, data: Data) -> None:
        self.data = data
        self.view = memoryview(data)
        self.fields, self.text, self.typed = MOST_FIELDS, MOST_TEXT, MOST_TYPED

    def root(self) -> Message:
        """The outermost message."""
        return Message(self, 0, len(self.data))


class Message:
    """
    One message: bytes *start* to *end* of *source*, its fields by number.

    Raises DamageError when the bytes are not a message.
    """

    __slots__ = ("depth", "end", "fields", "source", "start")

    def __init__(self, source: Source, start: int, end: int, depth: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise DamageError(f"messages nested more than {MAX_DEPTH} deep", start)
        self.source, self.start, self.end, self.depth = source, start, end, depth
        self.fields: dict[int, list[Value]] = {}
        fields, data, position, left = self.fields, source.data, start, source.fields
        try:
            while position < end:
                if not left:
                    raise LimitError(f"more than {MOST_FIELDS:,} fields", start)
                left -= 1
                key = data[position]
                position += 1
                if key > 0x7F:  # nearly all keys and lengths are a byte long
                    key, position = read_varint(data, position - 1, end)
                wire = key & 7
                if wire == BYTES:
                    length = data[position]
                    position += 1
                    if length > 0x7F:
                        length, position = read_varint(data, position - 1, end)
                    stop = position + length
                elif wire == VARINT:
                    stop = position + 1
                    if data[position] > 0x7F:
                        stop = read_varint(data, position, end)[1]
                else:
                    stop = position + _fixed(wire, position)
                number = key >> 3
                if stop > end or not number:
                    raise _damage(number, stop - position, position)
                if number in fields:
                    fields[number].append((wire, position, stop))
                else:
                    fields[number] = [(wire, position, stop)]
                position = stop
        except IndexError:  # only at the end of the file: cheaper than a check at each byte
            raise DamageError("a message is cut short", start) from None
        source.fields = left

    def __contains__(self, field: int) -> bool:
        return field in self.fields

    def integer(self, field: int, default: int = 0) -> int:
        """A signed 64-bit varint; the last one counts."""
        values = self.fields.get(field)
        if not values:
            return default
        return self._number(values[-1])

    def integers(self, field: int) -> list[int]:
        """Repeated signed varints, packed or not."""
        values = self.fields.get(field)
        if not values:
            return []
        if len(values) < SHORT and values[0][0] == values[-1][0] == VARINT:  # a shape, mostly
            return [self._number(value) for value in values]
        numbers = list(islice(self.stream(field), self.source.fields + 1))
        self.source.fields -= len(numbers)
        if self.source.fields < 0:
            raise LimitError(f"more than {MOST_FIELDS:,} numbers", self.start)
        return numbers

    def stream(self, field: int, mask: int = 0) -> Iterator[int]:
        """The same, without holding all of them; *mask*: see `varints`."""
        for value in self.fields.get(field, ()):
            if value[0] == VARINT:
                yield self._number(value) & (mask or -1)
            else:
                self._expect(value, BYTES)
                yield from varints(self.source.data, value[1], value[2], mask)

    def typed(self, field: int, bits: int) -> memoryview:
        """Repeated varints, packed again as little-endian integers of *bits*."""
        self._copy(field)
        codes = {8: "B", 16: "H", 32: "I", 64: "Q"}
        numbers = array(codes[bits], self.stream(field, (1 << bits) - 1))
        if sys.byteorder == "big":
            numbers.byteswap()
        return memoryview(numbers).cast("B")

    def joined(self, field: int) -> memoryview:
        """Repeated bytes behind each other; a view where there is one part."""
        parts = [self.source.view[start:end] for _, start, end in self.fields.get(field, ())]
        if len(parts) == 1:
            return parts[0]
        self._copy(field)
        return memoryview(b"".join(parts))

    def _copy(self, field: int) -> None:
        """Account for constants that must be copied."""
        self.source.typed -= sum(end - start for _, start, end in self.fields.get(field, ()))
        if self.source.typed < 0:
            raise LimitError(f"more than {MOST_TYPED:,} bytes of constants outside raw_data")

    def packed(self, field: int, item: int) -> memoryview:
        """Repeated fixed-size numbers as their bytes; a view when they are packed."""
        view = self.joined(field)
        if len(view) % item:
            raise DamageError(f"{len(view)} bytes of {item}-byte numbers", self.start)
        return view

    def real(self, field: int) -> float:
        """A 32-bit float; 0 when absent."""
        values = self.fields.get(field)
        if not values:
            return 0.0
        self._expect(values[-1], FIXED32)
        return float(struct.unpack_from("<f", self.source.data, values[-1][1])[0])

    def view(self, field: int) -> memoryview:
        """The bytes of a field, not copied."""
        values = self.fields.get(field)
        if not values:
            return self.source.view[:0]
        self._expect(values[-1], BYTES)
        return self.source.view[values[-1][1] : values[-1][2]]

    def text(self, field: int) -> str:
        """A string; bytes that are not UTF-8 are replaced."""
        values = self.fields.get(field)
        return self._text(values[-1]) if values else ""

    def texts(self, field: int) -> list[str]:
        """Repeated strings."""
        values = self.fields.get(field)
        return [self._text(value) for value in values] if values else []

    def message(self, field: int) -> Message | None:
        """A message; the last one counts."""
        values = self.fields.get(field)
        return self._nested(values[-1]) if values else None

    def messages(self, field: int) -> Iterator[Message]:
        """Repeated messages, each read when its turn comes."""
        for value in self.fields.get(field, ()):
            yield self._nested(value)

    def each(
        self,
        field: int,
        read: Callable[[Message], T],
        known: dict[bytes, T],
        plain: Callable[[T], bool] = lambda _: True,
    ) -> Iterator[T]:
        """
        What *read* makes of repeated messages; short ones that are alike are read once.

        Types, dimensions and attributes repeat a few forms. *known* remembers
        those whose result is *plain*, to be shared.
        """
        data = self.source.data
        for value in self.fields.get(field, ()):
            if value[2] - value[1] > SHORT:
                yield read(self._nested(value))
                continue
            key = data[value[1] : value[2]]
            if value[0] == BYTES and key in known:
                yield known[key]
                continue
            result = read(self._nested(value))
            if plain(result):
                known[key] = result
            yield result

    def _nested(self, value: Value) -> Message:
        if value[0] != BYTES:
            self._expect(value, BYTES)
        return Message(self.source, value[1], value[2], self.depth + 1)

    def _text(self, value: Value) -> str:
        wire, start, end = value
        if wire != BYTES:
            self._expect(value, BYTES)
        source = self.source
        source.text -= end - start
        if source.text < 0:
            raise LimitError(f"more than {MOST_TEXT:,} bytes of text", start)
        return source.data[start:end].decode("utf-8", "replace")

    def _number(self, value: Value) -> int:
        wire, start, end = value
        if wire == VARINT and end - start == 1:
            return self.source.data[start]
        self._expect(value, VARINT)
        return signed(read_varint(self.source.data, start, end)[0])

    def _expect(self, value: Value, wire: int) -> None:
        if value[0] != wire:
            raise DamageError(f"a field of wire type {value[0]}, not {wire}", value[1])


def _fixed(wire: int, position: int) -> int:
    """Bytes of a number of fixed size."""
    if wire == FIXED32:
        return 4
    if wire == FIXED64:
        return 8
    raise DamageError(f"wire type {wire}", position)


def _damage(number: int, length: int, position: int) -> DamageError:
    if not number:
        return DamageError("field number 0", position)
    return DamageError(f"a field of {length:,} bytes leaves its message", position)
