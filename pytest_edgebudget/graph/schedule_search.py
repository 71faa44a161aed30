"""
The order of a few ops that needs the least memory at once.

Which bytes are in use depends on which ops have run, not on their order: states
are sets of ops, and the search goes from the empty set to the full one, always
on from the set that is reached with the smallest peak. An op that can run within
that peak and leaves no more bytes in use than before runs at once: whatever
comes later, it can only have gained. What the search cannot finish, it finishes
with the most promising states only.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from pytest_edgebudget.graph.schedule_work import Work

MOST_STEPS = 20_000
"""Ops that are tried in an exact search, and again in one that is not: a fifth of a second."""

WIDTH = 32
"""States that are kept after each op where the search is not exact."""

CHOICES = 24
"""Ops that are tried next in one state: a bound for wide graphs."""

_NEWEST = 8


@dataclass(frozen=True, slots=True)
class Found:
    """An order, and its *peak* in bytes."""

    ops: tuple[int, ...]
    peak: int


Trail = tuple["Trail | None", int]
"""The ops that have run: the last, behind the trail before it."""


class State(NamedTuple):
    """
    The ops that have run (*done*: a bit each) and those that could (*ready*).

    *alive*: bytes held now; *peak*: the most so far; *trail*: the ops in order,
    the last first.
    """

    done: int
    ready: int
    alive: int
    peak: int
    trail: Trail | None


class Block:
    """Some ops, of which all earlier ones have run (*ran*) and no later one has."""

    def __init__(self, work: Work, ops: Sequence[int], ran: Container[int], alive: int) -> None:
        self.ops, self.alive, self.steps = ops, alive, 0
        place = {op: bit for bit, op in enumerate(ops)}
        self.needs = [_mask(work.needs[op], place) for op in ops]
        self.after: list[list[int]] = [[] for _ in ops]
        for bit, op in enumerate(ops):
            for earlier in work.needs[op]:
                if earlier in place:
                    self.after[place[earlier]].append(bit)
        self.grows = [sum(work.memory[m].size for m in work.made[op]) for op in ops]
        self.scratch = [work.scratch[op] for op in ops]
        self.frees = [list(_freed(work, op, place, ran)) for op in ops]
        self.full = (1 << len(ops)) - 1

    def start(self, floor: int) -> State:
        """Nothing has run; a peak below *floor* is as good as *floor*."""
        ready = sum(1 << bit for bit, needs in enumerate(self.needs) if not needs)
        return self.settle(State(0, ready, self.alive, floor, None))

    def next(self, state: State, limit: int) -> Iterator[State]:
        """What one more op leads to, with peaks below *limit*."""
        for bit in _some(state.ready):
            if state.alive + self.grows[bit] + self.scratch[bit] < limit:
                yield self.settle(self._run(state, bit))

    def settle(self, state: State) -> State:
        """Run, one after the other, the ops that can only be a gain."""
        gain = self._gain(state)
        while gain >= 0:
            state = self._run(state, gain)
            gain = self._gain(state)
        return state

    def _gain(self, state: State) -> int:
        """An op that needs no more than the peak, and leaves no more than there is; -1: none."""
        for bit in _some(state.ready):
            self.steps += 1
            if state.alive + self.grows[bit] + self.scratch[bit] > state.peak:
                continue
            if self._freed(state.done | 1 << bit, bit) >= self.grows[bit]:
                return bit
        return -1

    def _run(self, state: State, bit: int) -> State:
        done, high = state.done | 1 << bit, state.alive + self.grows[bit]
        ready = state.ready ^ 1 << bit
        for other in self.after[bit]:
            if not self.needs[other] & ~done:
                ready |= 1 << other
        peak = max(state.peak, high + self.scratch[bit])
        return State(done, ready, high - self._freed(done, bit), peak, (state.trail, bit))

    def _freed(self, done: int, bit: int) -> int:
        """Bytes that are no longer needed once the ops in *done* have run, *bit* the last."""
        freed = 0
        for size, users in self.frees[bit]:
            if not users & ~done:
                freed += size
        return freed

    def order(self, state: State) -> tuple[int, ...]:
        """The ops that have run, in order."""
        trail, found = state.trail, []
        while trail is not None:
            trail, bit = trail
            found.append(self.ops[bit])
        return tuple(reversed(found))


def search(block: Block, floor: int, limit: int) -> tuple[Found | None, bool]:
    """
    An order of *block* with a peak below *limit*, the lowest that can be found.

    What is below *floor* is not looked for. None when no such order was found;
    the second value tells whether no order is better, or the search was cut short.
    """
    state, complete = _exact(block, floor, limit)
    if state is None and not complete:
        state = _wide(block, floor, limit)
    return (Found(block.order(state), state.peak) if state else None), complete


def _exact(block: Block, floor: int, limit: int) -> tuple[State | None, bool]:
    """The best state; whether the search came to its end."""
    first, numbers = block.start(floor), count()
    seen = {first.done: first.peak}
    queue = [(first.peak, 0, first)]
    while queue and block.steps < MOST_STEPS:
        _, _, state = heappop(queue)
        if state.done == block.full:
            return state, True
        if state.ready.bit_count() > CHOICES:
            return None, False
        for then in block.next(state, limit):
            if seen.get(then.done, limit) > then.peak:
                seen[then.done] = then.peak
                heappush(queue, (then.peak, -next(numbers), then))
    return None, not queue


def _wide(block: Block, floor: int, limit: int) -> State | None:
    """The best complete state of a beam: after each op, only the best states go on."""
    width = max(1, min(WIDTH, MOST_STEPS // (4 * len(block.ops))))
    states, best = [block.start(floor)], None
    while states:
        found: dict[int, State] = {}
        for state in states:
            if state.done == block.full:
                best, limit = state, min(limit, state.peak)
                continue
            for then in block.next(state, limit):
                other = found.get(then.done)
                if other is None or _rank(then) < _rank(other):
                    found[then.done] = then
        good = (state for state in found.values() if state.peak < limit)
        states = sorted(good, key=_rank)[:width]
    return best


def _rank(state: State) -> tuple[int, int, int]:
    return state.peak, state.alive, state.done


def _mask(ops: Iterable[int], place: Mapping[int, int]) -> int:
    mask = 0
    for op in ops:
        if op in place:
            mask |= 1 << place[op]
    return mask


def _freed(
    work: Work, op: int, place: Mapping[int, int], ran: Container[int]
) -> Iterator[tuple[int, int]]:
    """Memory that no later block needs: its size, and the ops that must have run."""
    for number in {*work.read[op], *work.made[op]}:
        memory = work.memory[number]
        if not memory.stays and all(user in place or user in ran for user in memory.users):
            yield memory.size, _mask(memory.users, place)


def _some(bits: int) -> Iterator[int]:
    """The numbers of the bits that are set: all of a few, of many the lowest and the highest."""
    for left in range(min(bits.bit_count(), CHOICES), 0, -1):
        # The highest are mostly ops that only now can run, and that may free something.
        bit = (bits & -bits if left > _NEWEST else bits).bit_length() - 1
        yield bit
        bits ^= 1 << bit
