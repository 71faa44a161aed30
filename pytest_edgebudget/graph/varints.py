"""
Numbers of variable length, as protobuf writes them: seven bits a byte, low ones first.

Source: https://protobuf.dev/programming-guides/encoding/#varints
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_edgebudget.graph.damage import DamageError
from pytest_edgebudget.graph.mapped import Data

_BLOCK = 1 << 16
_NUMBER = re.compile(rb"[\x80-\xff]*[\x00-\x7f]")
_UNFINISHED = bytes(range(0x80, 0x100))
_MOST_KNOWN = 1 << 16


def read_varint(data: Data, position: int, end: int) -> tuple[int, int]:
    """An unsigned number, and the position behind it. Raises DamageError: it has no end."""
    number = shift = 0
    while position < end and shift < 70:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & 0xFFFF_FFFF_FFFF_FFFF, position
        shift += 7
    raise DamageError("a number without an end", position)


def signed(number: int) -> int:
    """The signed 64-bit number that is written as an unsigned one."""
    return number - (1 << 64) if number >> 63 else number


def varints(data: Data, start: int, end: int) -> Iterator[int]:
    """
    The signed numbers that fill *start* to *end*. Raises DamageError: one has no end.

    They are split by a regular expression and looked up by their bytes, since
    models repeat few of them; a loop over bytes takes three times as long.
    """
    known = _Known()
    while start < end:
        block = data[start : min(start + _BLOCK, end)]
        used = len(block.rstrip(_UNFINISHED))
        if not used:
            raise DamageError("a number without an end", start)
        yield from map(known.__getitem__, _NUMBER.findall(block))
        start += used


class _Known(dict[bytes, int]):
    """Numbers by the bytes that they were read from; as many as float16 has."""

    def __missing__(self, key: bytes) -> int:
        number = signed(read_varint(key, 0, len(key))[0])
        if len(self) < _MOST_KNOWN:
            self[key] = number
        return number
