"""
Which layer of one version is which of another: by name, and where names moved by structure.

Layers that are the same in both and there only once are sure; what lies between
two sure ones is aligned in the order of execution, so that as much as possible
agrees. Names alone would not do: a layer put in before ``dense_1`` makes
``dense_2`` of it, and structure alone takes any of five equal blocks for any other.

Source: anchors as in patience diff (Cohen, 2006); alignment by Needleman and
Wunsch, Journal of Molecular Biology 48(3), 1970.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

from pytest_edgebudget.changes.nodes import Node, Shape, nodes, plain_name
from pytest_edgebudget.graph import Graph

KIND, NAME, WEIGHTS, SHAPE, SOURCE = 2, 6, 6, 2, 1
"""What agreeing in each counts. Weights and shape outweigh a name: names move, weights stay."""

MOST_CELLS = 250_000
"""Pairs of layers of one gap that are aligned; beyond that only names decide."""

Pair = tuple[Node, Node]


@dataclass(frozen=True, slots=True)
class Match:
    """
    Layers of two versions of a model.

    *pairs*: those that are in both (before, after); *removed* and *added* those
    that are in one, each in its own order of execution.
    """

    pairs: tuple[Pair, ...]
    removed: tuple[Node, ...]
    added: tuple[Node, ...]


def match(before: Graph, after: Graph) -> Match:
    """The layers of two graphs of one format, subgraph by subgraph."""
    pairs: list[Pair] = []
    old, new = nodes(before), nodes(after)
    for mine, theirs in zip_longest(old, new, fillvalue=()):
        pairs += _matched(mine, theirs)
    known = {(which, node.where) for pair in pairs for which, node in enumerate(pair)}
    left = [node for sub in old for node in sub if (0, node.where) not in known]
    extra = [node for sub in new for node in sub if (1, node.where) not in known]
    return Match(tuple(pairs), tuple(left), tuple(extra))


def _matched(old: Sequence[Node], new: Sequence[Node]) -> list[Pair]:
    """In the order of execution first; then those that have a name in common and moved."""
    found = [*_aligned(old, new, (_same, _named, _structure))]
    left = [node for node in old if not any(node is a for a, _ in found)]
    extra = [node for node in new if not any(node is b for _, b in found)]
    moved = _unique(left, extra, _named)
    return sorted([*found, *moved], key=lambda pair: pair[1].where)


def _same(node: Node) -> Hashable:
    return node.named, node.weights, node.shape


def _named(node: Node) -> Hashable:
    return node.named


def _structure(node: Node) -> Hashable:
    return node.structure if node.weights else None


Key = Callable[[Node], Hashable]


def _aligned(old: Sequence[Node], new: Sequence[Node], keys: Sequence[Key]) -> Iterator[Pair]:
    """
    Pairs in the order of both, around what is sure by the first of *keys*.

    Further keys are asked only for gaps that are too large to be aligned as a whole.
    """
    anchors = _in_order(_unique(old, new, keys[0])) if keys else []
    places = [(_place(old, a), _place(new, b)) for a, b in anchors]
    ends = [(-1, -1), *places, (len(old), len(new))]
    for number, ((i, j), (k, m)) in enumerate(pairwise(ends)):
        yield from _between(old[i + 1 : k], new[j + 1 : m], keys[1:])
        if number < len(anchors):
            yield anchors[number]


def _place(among: Sequence[Node], node: Node) -> int:
    return node.where[1] - among[0].where[1]  # a piece of one subgraph, without gaps


def _between(old: Sequence[Node], new: Sequence[Node], keys: Sequence[Key]) -> Iterator[Pair]:
    if not old or not new:
        return
    if len(old) * len(new) <= MOST_CELLS:
        yield from _best(old, new)
    elif keys:
        yield from _aligned(old, new, keys)


def _unique(old: Sequence[Node], new: Sequence[Node], key: Key) -> list[Pair]:
    """Pairs that share a key which is there once in each; in the order of *old*."""
    mine, theirs = _once(old, key), _once(new, key)
    return [(node, theirs[name]) for name, node in mine.items() if name in theirs]


def _once(among: Sequence[Node], key: Key) -> dict[Hashable, Node]:
    found: dict[Hashable, list[Node]] = {}
    for node in among:
        found.setdefault(key(node), []).append(node)
    return {name: each[0] for name, each in found.items() if len(each) == 1 and name is not None}


def _in_order(pairs: Sequence[Pair]) -> list[Pair]:
    """The longest part of *pairs* that is in the order of both sides."""
    tails: list[int] = []  # places in *pairs* of the smallest end of a chain of each length
    ends: list[int] = []
    before: list[int] = []
    for number, (_, node) in enumerate(pairs):
        length = bisect_left(ends, node.where[1])
        before.append(tails[length - 1] if length else -1)
        tails[length:] = [number, *tails[length + 1 :]]
        ends[length:] = [node.where[1], *ends[length + 1 :]]
    chain = []
    number = tails[-1] if tails else -1
    while number >= 0:
        chain.append(pairs[number])
        number = before[number]
    return chain[::-1]


def likeness(one: Node, other: Node) -> int:
    """How much two layers have in common; 0 for two that no change makes of each other."""
    same_name = plain_name(one.name) == plain_name(other.name)
    if one.alike != other.alike or not (same_name or _akin(one.weights, other.weights)):
        return 0
    found = KIND
    found += NAME if same_name else 0
    found += WEIGHTS if one.weights and one.weights == other.weights else 0
    found += SHAPE if one.shape == other.shape else 0
    return found + (SOURCE if one.source == other.source else 0)


def _akin(one: Sequence[Shape], other: Sequence[Shape]) -> bool:
    """Whether weights may be those of one layer, resized: at least half of the sizes are equal."""
    if not one or not other:
        return not one and not other
    first, second = one[0], other[0]
    if first is None or second is None or len(first) != len(second):
        return first == second
    same = sum(a == b for a, b in zip(first, second, strict=True))
    return 2 * same >= len(first)


def _best(old: Sequence[Node], new: Sequence[Node]) -> Iterator[Pair]:
    """The alignment of the most likeness, without crossings."""
    width = len(new) + 1
    score = [[0] * width for _ in range(len(old) + 1)]
    for i, one in enumerate(old, 1):
        above, row = score[i - 1], score[i]
        for j, other in enumerate(new, 1):
            alike = likeness(one, other)
            row[j] = max(above[j], row[j - 1], above[j - 1] + alike if alike else 0)
    i, j, found = len(old), len(new), []
    while i and j:
        alike = likeness(old[i - 1], new[j - 1])
        if alike and score[i][j] == score[i - 1][j - 1] + alike:
            i, j = i - 1, j - 1
            found.append((old[i], new[j]))
        elif score[i][j] == score[i - 1][j]:
            i -= 1
        else:
            j -= 1
    yield from reversed(found)
