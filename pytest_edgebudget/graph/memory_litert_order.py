"""
The order in which libstdc++ leaves what compares equal.

LiteRT gathers the tensors of a node in a `std::unordered_set` and sorts them
with `std::sort`, which is not stable: where two tensors have the same size and
the same first node, these two decide which one is placed first, and with that
how large the arena is. Both are deterministic; LiteRT's wheels for Linux are
built against libstdc++.

Sources: bits/hashtable.h, bits/hashtable_policy.h and bits/stl_algo.h of GCC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

_BUCKETS = (13, 29, 59, 127, 257, 541, 1109, 2357, 5087, 10273, 20753, 42043, 85229, 172933)
"""How many buckets a growing set has: _Prime_rehash_policy, at most one number a bucket."""

_THRESHOLD = 16
"""_S_threshold: up to here, std::sort sorts by insertion."""

Key = tuple[int, int, int]


def hash_order(numbers: Iterable[int]) -> list[int]:
    """Different *numbers*, inserted one by one, as an `unordered_set<int>` iterates over them."""
    order: list[int] = []
    left = list(numbers)
    for before, buckets in pairwise((0, *_BUCKETS)):
        part = left[: buckets - before]
        order = _inserted((*order, *part), buckets)
        left = left[buckets - before :]
        if not left:
            break
    return order + left


def _inserted(numbers: Iterable[int], buckets: int) -> list[int]:
    """A new bucket goes to the front of the list, a number to the front of its bucket."""
    kept: dict[int, list[int]] = {}
    for number in numbers:
        kept.setdefault(number % buckets, []).append(number)
    return [number for bucket in reversed(kept.values()) for number in reversed(bucket)]


def std_sort(keys: Sequence[Key]) -> list[int]:
    """The positions of *keys* in the order in which std::sort leaves them."""
    items = [(key, position) for position, key in enumerate(keys)]
    _introsort(items, 0, len(items), 2 * (len(items).bit_length() - 1))
    # Insertion is stable, as Python's own sort is, and moves nothing far by now.
    items.sort(key=_key)
    return [position for _, position in items]


Item = tuple[Key, int]


def _key(item: Item) -> Key:
    return item[0]


def _introsort(items: list[Item], first: int, last: int, depth: int) -> None:
    """Split at pivots until no part is longer than the threshold (std::__introsort_loop)."""
    while last - first > _THRESHOLD:
        if depth == 0:  # std::sort would go on with heapsort: no real graph comes here
            return
        depth -= 1
        cut = _partition(items, first, last)
        _introsort(items, cut, last, depth)
        last = cut


def _partition(items: list[Item], first: int, last: int) -> int:
    """std::__unguarded_partition_pivot."""
    _median_to_first(items, first, first + 1, first + (last - first) // 2, last - 1)
    pivot, low, high = items[first][0], first + 1, last
    while True:
        while items[low][0] < pivot:
            low += 1
        high -= 1
        while pivot < items[high][0]:
            high -= 1
        if low >= high:
            return low
        items[low], items[high] = items[high], items[low]
        low += 1


def _median_to_first(items: list[Item], first: int, a: int, b: int, c: int) -> None:
    middle = _median(items, a, b, c)
    items[first], items[middle] = items[middle], items[first]


def _median(items: list[Item], a: int, b: int, c: int) -> int:
    """std::__move_median_to_first: which of equal ones it takes is part of the order."""
    x, y, z = items[a][0], items[b][0], items[c][0]
    if x < y:
        return b if y < z else c if x < z else a
    return a if x < z else c if y < z else b
