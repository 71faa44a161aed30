"""
Mutations that keep what a random byte would break: alignment, and lengths around a change.

Pure functions of the input and a seed, so that a run can be repeated.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

Field = tuple[int, int, bytes]
"""Of a protobuf message: number, wire type, payload (without its length)."""

NUMBERS = (0, 1, 2, 3, 4, 7, 8, 16, 127, 128, 255, 256, 0x7FFF, 0xFFFF, 0x7FFF_FFFF)
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def tflite(data: bytes, chance: random.Random) -> bytes:
    """Change aligned words: offsets, counts, indices, sizes."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        size = chance.choice((1, 2, 4, 4, 4, 8))
        if len(changed) < size:
            break
        place = chance.randrange(len(changed) // size) * size
        changed[place : place + size] = _word(changed, place, size, chance)
    return bytes(changed)


def _word(data: bytearray, place: int, size: int, chance: random.Random) -> bytes:
    old = int.from_bytes(data[place : place + size], "little")
    other = chance.randrange(len(data) // size) * size
    choices = (
        chance.choice(NUMBERS),
        -chance.choice(NUMBERS),
        old + chance.choice((-8, -4, -1, 1, 4, 8)),
        int.from_bytes(data[other : other + size], "little"),
        other - place,  # an offset to another place of the file
        chance.getrandbits(8 * size),
    )
    return (chance.choice(choices) & ((1 << 8 * size) - 1)).to_bytes(size, "little")


def onnx(data: bytes, chance: random.Random) -> bytes:
    """Change one field somewhere in the tree of messages; the lengths around it follow."""
    fields = parse(data)
    if not fields:
        return data + bytes([chance.randrange(256)])
    place = chance.randrange(len(fields))
    number, wire, payload = fields[place]
    if wire == BYTES and chance.random() < 0.8 and parse(payload):
        fields[place] = (number, wire, onnx(payload, chance))
    else:
        chance.choice(CHANGES)(fields, place, chance)
    return b"".join(_written(field) for field in fields)


def parse(data: bytes) -> list[Field]:
    """The fields of a message; nothing when the bytes are none."""
    fields, position = [], 0
    try:
        while position < len(data):
            key, position = _varint(data, position)
            wire, end = key & 7, position
            if wire == VARINT:
                _, end = _varint(data, position)
            elif wire == BYTES:
                length, position = _varint(data, position)
                end = position + length
            elif wire in (FIXED32, FIXED64):
                end = position + (4 if wire == FIXED32 else 8)
            else:
                return []
            if end > len(data) or key < 8:
                return []
            fields.append((key >> 3, wire, data[position:end]))
            position = end
    except IndexError:
        return []
    return fields


def _varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while data[position] > 0x7F:
        number |= (data[position] & 0x7F) << shift
        position, shift = position + 1, shift + 7
    return number | data[position] << shift, position + 1


def _packed(number: int) -> bytes:
    parts = bytearray()
    number &= 0xFFFF_FFFF_FFFF_FFFF
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def _written(field: Field) -> bytes:
    number, wire, payload = field
    return _packed(number << 3 | wire) + (_packed(len(payload)) if wire == BYTES else b"") + payload


def _delete(fields: list[Field], place: int, _: random.Random) -> None:
    del fields[place]


def _repeat(fields: list[Field], place: int, chance: random.Random) -> None:
    fields.insert(chance.randrange(len(fields) + 1), fields[place])


def _renumber(fields: list[Field], place: int, chance: random.Random) -> None:
    _, wire, payload = fields[place]
    fields[place] = (chance.randrange(1, 23), wire, payload)


def _replace(fields: list[Field], place: int, chance: random.Random) -> None:
    number, wire, payload = fields[place]
    if wire == VARINT:
        new = chance.choice((chance.choice(NUMBERS), -1, chance.getrandbits(64)))
        payload = _packed(new)
    elif wire == FIXED32:
        payload = struct.pack("<f", chance.choice((0.0, -1.0, 1e38, float("nan"), float("inf"))))
    elif payload and chance.random() < 0.7:
        changed = bytearray(payload)
        changed[chance.randrange(len(changed))] = chance.randrange(256)
        payload = bytes(changed)
    else:
        payload = payload[: chance.randrange(len(payload) + 1)]
    fields[place] = (number, wire, payload)


def _exchange(fields: list[Field], place: int, chance: random.Random) -> None:
    other = chance.randrange(len(fields))
    fields[place], fields[other] = fields[other], fields[place]


CHANGES: tuple[Callable[[list[Field], int, random.Random], None], ...] = (
    _delete, _repeat, _renumber, _replace, _replace, _replace, _exchange,
)  # fmt: skip
