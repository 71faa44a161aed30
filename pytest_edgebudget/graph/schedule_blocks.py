"""
Where a graph falls into parts whose order can be chosen one by one.

An op that all earlier ones lead to, and that leads to all later ones, runs
between the two in every order; so does an op across which nothing may move.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from pytest_edgebudget.graph.schedule_work import Work


def blocks(work: Work, fixed: Collection[int]) -> Iterator[tuple[int, ...]]:
    """The ops in the order of the file, split into parts; most parts are one op."""
    part: list[int] = []
    for op in range(len(work.needs)):
        if op in fixed:
            yield from _split(part, work)
            yield (op,)
            part = []
        else:
            part.append(op)
    yield from _split(part, work)


def _split(part: Sequence[int], work: Work) -> Iterator[tuple[int, ...]]:
    inside = frozenset(part)
    after: dict[int, set[int]] = {op: set() for op in part}
    before = {op: work.needs[op] & inside for op in part}
    for op in part:
        for earlier in before[op]:
            after[earlier].add(op)
    narrow = _narrow(part, before) & _narrow(part[::-1], after)
    block: list[int] = []
    for op in part:
        if op in narrow:
            if block:
                yield tuple(block)
            yield (op,)
            block = []
        else:
            block.append(op)
    if block:
        yield tuple(block)


def _narrow(
    part: Sequence[int], needs: dict[int, set[int]] | dict[int, frozenset[int]]
) -> set[int]:
    """The ops that all earlier ones of *part* lead to: behind them, only they are open."""
    opened: set[int] = set()
    found = set()
    for op in part:
        opened -= needs[op]
        opened.add(op)
        if len(opened) == 1:
            found.add(op)
    return found
