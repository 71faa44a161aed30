"""
How LiteRT's arena places buffers: the order that it takes them in, and the gap.

Sources: tflite/arena_planner.cc (CreateTensorAllocationVector) and
tflite/simple_memory_arena.cc (SimpleMemoryArena::Allocate) of LiteRT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_edgebudget.graph.memory_litert_homes import Home
from pytest_edgebudget.graph.memory_litert_order import std_sort

ALIGNMENT = 64
"""kDefaultTensorAlignment of tflite/util.h, in bytes."""

NEVER = 1 << 62
"""The last node of a tensor that is never given back."""

_BLOCK = 32
_SHORT = 8
MOST_WORK = 2_000_000
"""Comparisons of lifetimes that a plan may cost: about a second."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    A tensor that wants memory.

    *index* is its number in the runtime (temporaries come behind the file's
    tensors), *size* bytes; it is in use from node *first* to node *last*
    (`NEVER`: to the end), and lies at *home*. *name*: for people.
    """

    index: int
    size: int
    first: int
    last: int
    home: Home
    name: str

    @property
    def whole_life(self) -> bool:
        """Whether it is there from the first node to the end."""
        return self.first == 0 and self.last == NEVER


class Arena:
    """Offsets, one buffer after the other. *size*: bytes up to the highest end."""

    def __init__(self) -> None:
        self.size = 0
        self.work = 0
        self._blocks: dict[int, list[tuple[int, int, int, int]]] = {}
        self._long: list[tuple[int, int, int, int]] = []
        self._all: list[tuple[int, int, int, int]] = []

    @property
    def exhausted(self) -> bool:
        """Whether gaps are no longer looked for, because it takes too long."""
        return self.work > MOST_WORK

    def place(self, wanted: Wanted) -> int:
        """The offset of one more buffer: the tightest gap, else the end."""
        if wanted.size == 0:
            return 0
        offset = _align(self.size) if self.exhausted else self._gap(wanted)
        self._keep((offset, offset + wanted.size, wanted.first, wanted.last))
        self.size = max(self.size, offset + wanted.size)
        return offset

    def _gap(self, wanted: Wanted) -> int:
        size, first, last = wanted.size, wanted.first, wanted.last
        near = self._near(first, last)
        self.work += len(near)
        taken = sorted({n[:2] for n in near if n[2] <= last and first <= n[3]})
        end, best, fit = 0, -1, NEVER
        for start, stop in taken:
            aligned = _align(end)
            if aligned + size <= start and start - aligned < fit:
                best, fit = aligned, start - end
                if fit == 0:
                    break
            end = max(end, stop)
        return best if best >= 0 else _align(end)

    def _near(self, first: int, last: int) -> Sequence[tuple[int, int, int, int]]:
        """At least all buffers that are in use between *first* and *last*."""
        low, high = first // _BLOCK, last // _BLOCK
        if high - low > _SHORT:
            return self._all
        found = list(self._long)
        for block in range(low, high + 1):
            found += self._blocks.get(block, ())
        return found

    def _keep(self, entry: tuple[int, int, int, int]) -> None:
        self._all.append(entry)
        low, high = entry[2] // _BLOCK, entry[3] // _BLOCK
        if high - low > _SHORT:
            self._long.append(entry)
            return
        for block in range(low, high + 1):
            self._blocks.setdefault(block, []).append(entry)


def in_order(asked: Sequence[Wanted]) -> list[Wanted]:
    """
    The order in which tensors are placed.

    Whole lives come first, by number; then the larger first, then the earlier.
    What is the same in all of that stays as std::sort leaves it.
    """
    keys = [_key(wanted) for wanted in asked]
    if len(set(keys)) == len(keys):
        return [wanted for _, wanted in sorted(zip(keys, asked, strict=True), key=_first)]
    return [asked[i] for i in std_sort(keys)]


def _key(wanted: Wanted) -> tuple[int, int, int]:
    if wanted.whole_life:
        return 0, wanted.index, 0
    return 1, -wanted.size, wanted.first


def _first(pair: tuple[tuple[int, int, int], Wanted]) -> tuple[int, int, int]:
    return pair[0]


def _align(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT
