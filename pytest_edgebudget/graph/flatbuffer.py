"""
A reader of FlatBuffers tables that believes nothing it has not checked.

Every offset, size and count is checked against the file before it is used, and
what is read in total is limited, since many offsets may point to one long
vector: a damaged file costs an error, never a crash, a hang or memory.

Source: "FlatBuffers internals", https://flatbuffers.dev/internals/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pytest_edgebudget.graph.damage import DamageError, LimitError
from pytest_edgebudget.graph.mapped import Data

_U16 = struct.Struct("<H")
_I32 = struct.Struct("<i")
_u32 = struct.Struct("<I").unpack_from
_CODES = {code: struct.Struct(f"<{code}") for code in "?bBhHiIqQfd"}
_SHORT = 5
_VECTORS = {code: [struct.Struct(f"<{n}{code}") for n in range(_SHORT)] for code in _CODES}
"""Forms of the short vectors that most are: shapes, the inputs of an op."""


MOST = 3_000_000
"""Numbers that are read of a file, however large: a scale for each of a million channels."""
MOST_TABLES = 120_000
"""Tables that are read of a file: a model of 10,000 ops has half of them."""
MOST_TEXT = 32 << 20
"""Bytes of names and other strings of a file that are read."""


class Buffer:
    """
    The bytes of a file and how much of them may still be read.

    *end* is behind the last byte of all that was read: what a file has behind it
    belongs to no table.
    """

    __slots__ = ("data", "end", "left", "size", "tables", "text", "view", "vtables")

    def __init__(self, data: Data) -> None:
        self.data = data
        self.view = memoryview(data)
        self.size = len(data)
        self.end = 0
        self.vtables: dict[int, tuple[int, ...]] = {}  # tables of one kind share them
        # A sound file stores each element once, and shares a few strings.
        self.left = min(4 * len(data) + 10_000, MOST)
        self.tables = min(len(data), MOST_TABLES)
        self.text = min(4 * len(data), MOST_TEXT)

    def root(self) -> Table:
        """The root table. Raises DamageError, as everything here."""
        return Table(self, self.follow(0))

    def number(self, form: struct.Struct, position: int) -> int:
        """One number at *position*."""
        if not 0 <= position <= self.size - form.size:
            raise DamageError("a number lies outside the file", position)
        value: int = form.unpack_from(self.data, position)[0]
        return value

    def follow(self, position: int) -> int:
        """Where the offset at *position* points to; four bytes are there."""
        if not 0 <= position <= self.size - 4:
            raise DamageError("an offset lies outside the file", position)
        target: int = position + _u32(self.data, position)[0]
        if target > self.size - 4:
            raise DamageError(f"an offset to {target:,} leaves the file", position)
        return target

    def vector(self, position: int, item_size: int) -> tuple[int, int]:
        """First byte and count of the vector that the offset at *position* points to."""
        start = self.follow(position)
        count: int = _u32(self.data, start)[0]
        end = start + 4 + count * item_size
        if end > self.size:
            raise DamageError(f"a vector of {count:,} elements leaves the file", start)
        if end > self.end:
            self.end = end
        return start + 4, count

    def spend(self, count: int, position: int) -> None:
        """Account for *count* elements read."""
        self.left -= count
        if self.left < 0:
            raise LimitError("more elements than the file can hold", position)


class Table:
    """One table: fields by slot, with the default where a field is absent."""

    __slots__ = ("buffer", "fields", "position")

    def __init__(self, buffer: Buffer, position: int) -> None:
        vtable = position - buffer.number(_I32, position)
        fields = buffer.vtables.get(vtable)
        if fields is None:
            fields = buffer.vtables[vtable] = _fields(buffer, vtable, position)
        buffer.tables -= 1
        if position > buffer.end:  # the second number of the list is the table's size
            buffer.end = min(position + buffer.number(_U16, vtable + 2), buffer.size)
        if buffer.tables < 0:
            raise LimitError("more tables than the file can hold", position)
        self.buffer, self.position, self.fields = buffer, position, fields

    def at(self, slot: int) -> int:
        """The position of a field; 0 when it is absent."""
        if slot >= len(self.fields) or not self.fields[slot]:
            return 0
        return self.position + self.fields[slot]

    def number(self, slot: int, code: str, default: float = 0) -> float:
        """A number by its struct *code*."""
        return self.integer(slot, code, default)  # type: ignore[arg-type]

    def integer(self, slot: int, code: str, default: int = 0) -> int:
        """A whole number by its struct *code*."""
        fields = self.fields
        if slot >= len(fields) or not fields[slot]:
            return default
        return self.buffer.number(_CODES[code], self.position + fields[slot])

    def numbers(self, slot: int, code: str) -> tuple[int, ...]:
        """A vector of numbers by their struct *code*."""
        fields, buffer = self.fields, self.buffer
        if slot >= len(fields) or not fields[slot]:
            return ()
        position = self.position + fields[slot]
        start, count = buffer.vector(position, _CODES[code].size)
        buffer.spend(count, position)
        if count < _SHORT:
            return _VECTORS[code][count].unpack_from(buffer.data, start)
        return struct.unpack_from(f"<{count}{code}", buffer.data, start)

    def count(self, slot: int, item_size: int) -> int:
        """How many elements of *item_size* bytes a vector has; they are not read."""
        position = self.at(slot)
        return self.buffer.vector(position, item_size)[1] if position else 0

    def view(self, slot: int) -> memoryview:
        """A vector of bytes, not copied."""
        position = self.at(slot)
        if not position:
            return self.buffer.view[:0]
        start, count = self.buffer.vector(position, 1)
        return self.buffer.view[start : start + count]

    def text(self, slot: int) -> str:
        """A string; bytes that are not UTF-8 are replaced."""
        position = self.at(slot)
        if not position:
            return ""
        start, count = self.buffer.vector(position, 1)
        self.buffer.text -= count
        if self.buffer.text < 0:
            raise LimitError("more text than the file can hold", position)
        return self.buffer.data[start : start + count].decode("utf-8", "replace")

    def table(self, slot: int) -> Table | None:
        """A table (or the table of a union)."""
        position = self.at(slot)
        return Table(self.buffer, self.buffer.follow(position)) if position else None

    def tables(self, slot: int) -> Iterator[Table]:
        """A vector of tables, each read when its turn comes."""
        position = self.at(slot)
        if not position:
            return
        start, count = self.buffer.vector(position, 4)
        self.buffer.spend(count, position)
        for place in range(start, start + 4 * count, 4):
            yield Table(self.buffer, self.buffer.follow(place))


def _fields(buffer: Buffer, vtable: int, position: int) -> tuple[int, ...]:
    """Where the fields are, by slot, from the start of each table of this *vtable*."""
    size = buffer.number(_U16, vtable)
    if size < 4 or size % 2 or vtable + size > buffer.size:
        raise DamageError("a table's list of fields is damaged", position)
    buffer.spend(size // 2, position)
    fields: tuple[int, ...] = struct.unpack_from(f"<{size // 2 - 2}H", buffer.data, vtable + 4)
    return fields
