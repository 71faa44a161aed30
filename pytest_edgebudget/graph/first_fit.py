"""
The lowest free place for each buffer in turn, among those that live with it.

A buffer is a size and a span of time. A few are compared one with another; that
takes the square of their number, so that many go to a tree over time, whose
nodes know which bytes are taken during their part of it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence

Request = tuple[int, int, int, int]
"""Size in bytes, first and last moment, and the offset where it is fixed (else -1)."""

FEW = 300
"""Buffers that are compared one with another: faster than the tree up to here."""

MAX_PROBES = 5_000_000
"""Look-ups that a plan may take: two seconds; sound models need a thousandth."""


def first_fit(requests: Sequence[Request]) -> tuple[int, ...] | None:
    """
    The offset of each request, placed in the order given.

    Each goes to the lowest offset at which its bytes are free throughout its
    span. None where that takes more than `MAX_PROBES`.
    """
    return _pairwise(requests) if len(requests) <= FEW else _Timeline(requests).offsets()


def _pairwise(requests: Sequence[Request]) -> tuple[int, ...]:
    placed: list[tuple[int, int, int, int]] = []  # offset, end, first, last; by offset
    offsets = []
    for size, first, last, fixed in requests:
        at = max(fixed, 0)
        if fixed < 0:
            for offset, end, begin, until in placed:
                if begin <= last and first <= until:
                    if offset - at >= size:
                        break
                    at = max(at, end)
        insort(placed, (at, at + size, first, last))
        offsets.append(at)
    return tuple(offsets)


class _Taken:
    """The bytes that are taken, as disjoint ranges in order."""

    __slots__ = ("ends", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []

    def add(self, start: int, end: int) -> None:
        """Take *start* to *end*; ranges that touch become one."""
        low = bisect_left(self.ends, start)
        high = bisect_right(self.starts, end)
        if high - low == 1 and self.starts[low] <= start and end <= self.ends[low]:
            return
        if low < high:
            start = min(start, self.starts[low])
            end = max(end, self.ends[high - 1])
        self.starts[low:high] = (start,)
        self.ends[low:high] = (end,)

    def free_from(self, start: int, size: int) -> tuple[int, int]:
        """The lowest offset from *start* on with *size* free bytes; ranges tried."""
        first = index = bisect_right(self.ends, start)
        while index < len(self.starts) and self.starts[index] - start < size:
            start = max(start, self.ends[index])
            index += 1
        return start, index - first


class _Timeline:
    """A binary tree over the moments; node 1 is all time, leaves are moments."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self.requests = requests
        self.earliest = min(first for _, first, _, _ in requests)
        moments = max(last for _, _, last, _ in requests) - self.earliest + 1
        self.leaves = 1 << (moments - 1).bit_length()
        self.whole: dict[int, _Taken] = {}  # by buffers that last throughout the node
        self.part: dict[int, _Taken] = {}  # by buffers that live at some time in it
        self.probes = 0

    def offsets(self) -> tuple[int, ...] | None:
        found = []
        for size, first, last, fixed in self.requests:
            nodes = self._nodes(first - self.earliest, last - self.earliest)
            above = {node >> k for node in nodes for k in range(1, node.bit_length())}
            at = fixed if fixed >= 0 else self._free(size, nodes, above)
            if self.probes > MAX_PROBES:
                return None
            self._take(at, at + size, nodes, above)
            found.append(at)
        return tuple(found)

    def _nodes(self, first: int, last: int) -> list[int]:
        """The fewest nodes that make up a span."""
        left, right = first + self.leaves, last + self.leaves + 1
        nodes = []
        while left < right:
            if left & 1:
                nodes.append(left)
                left += 1
            if right & 1:
                right -= 1
                nodes.append(right)
            left >>= 1
            right >>= 1
        return nodes

    def _free(self, size: int, nodes: list[int], above: set[int]) -> int:
        """The lowest offset that is free in all of *nodes*."""
        obstacles = [self.part[node] for node in nodes if node in self.part]
        obstacles += [self.whole[node] for node in above if node in self.whole]
        at, calm = 0, 0
        while calm < len(obstacles):
            for taken in obstacles:
                free, tried = taken.free_from(at, size)
                self.probes += 1 + tried
                calm = calm + 1 if free == at else 1
                at = free
                if calm >= len(obstacles):
                    break
        return at

    def _take(self, start: int, end: int, nodes: list[int], above: set[int]) -> None:
        for node in nodes:
            _taken(self.whole, node).add(start, end)
            _taken(self.part, node).add(start, end)
        for node in above:
            _taken(self.part, node).add(start, end)


def _taken(known: dict[int, _Taken], node: int) -> _Taken:
    found = known.get(node)
    if found is None:
        found = known[node] = _Taken()
    return found
