"""
What a map of the memory shows, and where: the plan's own places, or stacks.

A runtime that asks for each buffer alone has no places to show. Its buffers are
stacked at each step, the oldest at the bottom: the stack is as high as what is
in use.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.graph.arena import Allocation, Buffer, Plan

_MOST = 1_000_000
"""Buffers in use, summed over all steps, that are stacked for one picture."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A buffer at one place from step *first* to *last*, both included."""

    buffer: Buffer
    offset: int
    first: int
    last: int

    @property
    def end(self) -> int:
        """The first byte above it."""
        return self.offset + self.buffer.size


def placed(plan: Plan) -> tuple[Piece, ...]:
    """Each buffer where the plan has it."""
    return tuple(_piece(a, a.buffer.first, a.buffer.last) for a in plan.allocations)


def stack(plan: Plan, step: int) -> tuple[Allocation, ...]:
    """What is in use at *step*, the oldest at the bottom."""
    alive = (a.buffer for a in plan.allocations if a.buffer.first <= step <= a.buffer.last)
    return tuple(_stacked(sorted(alive, key=_age)))


def stacked(plan: Plan) -> tuple[Piece, ...]:
    """
    The stacks of all steps: a buffer is several pieces where what is below it changes.

    Raises EdgeBudgetError where there is too much to draw.
    """
    if sum(max(a.buffer.last - a.buffer.first + 1, 0) for a in plan.allocations) > _MOST:
        raise EdgeBudgetError(
            "so many buffers live at once that no picture could show them",
            "--format json lists them all",
        )
    waiting = sorted((a.buffer for a in plan.allocations), key=_age, reverse=True)
    alive: list[Buffer] = []
    pieces: list[Piece] = []
    current: dict[Buffer, tuple[Allocation, int]] = {}  # where it lies, and since which step
    for step in range(len(plan.live) + 1):
        alive = [buffer for buffer in alive if buffer.last >= step]
        while waiting and waiting[-1].first <= step:
            alive.append(waiting.pop())
        now = {a.buffer: a for a in _stacked(alive)} if step < len(plan.live) else {}
        for buffer, (allocation, since) in list(current.items()):
            if now.get(buffer) != allocation:
                pieces.append(_piece(allocation, since, step - 1))
                del current[buffer]
        for buffer, allocation in now.items():
            current.setdefault(buffer, (allocation, step))
    return tuple(pieces)


def _age(buffer: Buffer) -> tuple[int, int, int]:
    return buffer.first, -buffer.last, buffer.tensor


def _stacked(buffers: list[Buffer]) -> Iterator[Allocation]:
    offset = 0
    for buffer in buffers:
        yield Allocation(buffer, offset)
        offset += buffer.size


def _piece(allocation: Allocation, first: int, last: int) -> Piece:
    return Piece(allocation.buffer, allocation.offset, first, last)
