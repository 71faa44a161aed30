"""Whether a memory plan could be carried out."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.arena import Allocation, Plan


def faults(plan: Plan, alignment: int = 1) -> tuple[str, ...]:
    """
    What is wrong with *plan*, a sentence each; empty for a sound plan.

    No two buffers that live at the same step share a byte, each starts at a
    multiple of *alignment*, all lie inside the arena, and the arena is no
    smaller than its lower bound.
    """
    return tuple(_faults(plan, alignment))


def _faults(plan: Plan, alignment: int) -> Iterator[str]:
    if plan.size < plan.lower_bound or plan.lower_bound < max(plan.live, default=0):
        yield f"{plan.size} bytes, where at least {plan.lower_bound} live at once"
    ordered = sorted(plan.allocations, key=lambda allocation: allocation.offset)
    for index, item in enumerate(ordered):
        if item.offset % alignment:
            yield f"{item.buffer.name} lies at {item.offset}, no multiple of {alignment}"
        if item.offset < 0 or item.end > plan.size:
            yield f"{item.buffer.name} lies outside the arena"
        yield from _overlaps(item, ordered[index + 1 :])


def _overlaps(item: Allocation, behind: list[Allocation]) -> Iterator[str]:
    for other in behind:
        if other.offset >= item.end:
            return
        if other.buffer.size and item.buffer.lives_with(other.buffer):
            yield f"{item.buffer.name} and {other.buffer.name} share bytes while both live"
