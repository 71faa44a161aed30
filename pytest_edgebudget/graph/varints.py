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
_LONGEST = 10
"""Bytes of a 64-bit number."""


def read_varint(data: Data, position: int, end: int) -> tuple[int, int]:
    """An unsigned number, and the position behind it. Raises DamageError: it has no end."""
    number = shift = 0
    while position < end and shift < 7 * _LONGEST:
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


def varints(data: Data, start: int, end: int, mask: int = 0) -> Iterator[int]:
    """
    The signed numbers that fill *start* to *end*. Raises DamageError: one has no end.

    With a *mask*: that many of their low bits, unsigned. They are split by a
    regular expression and looked up by their bytes, since models repeat few of
    them; a loop over bytes takes many times as long.
    """
    known = _Known(mask)
    while start < end:
        block = data[start : min(start + _BLOCK, end)]
        used = len(block.rstrip(_UNFINISHED))
        if not used:
            raise DamageError("a number without an end", start)
        if block.isascii():  # all of one byte
            yield from block
        else:
            yield from map(known.__getitem__, _NUMBER.findall(block))
        start += used


class _Known(dict[bytes, int]):
    """Numbers by the bytes that they were read from; as many as float16 has."""

    def __init__(self, mask: int) -> None:
        self._mask = mask

    def __missing__(self, key: bytes) -> int:
        if len(key) > _LONGEST:
            raise DamageError("a number without an end")
        number = 0
        for byte in reversed(key):
            number = number << 7 | byte & 0x7F
        number = number & self._mask if self._mask else signed(number & 0xFFFF_FFFF_FFFF_FFFF)
        if len(self) < _MOST_KNOWN:
            self[key] = number
        return number
