"""The memory map in the terminal: steps downwards, addresses to the right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap

from pytest_edgebudget.explain.account import Account
from pytest_edgebudget.explain.words import WIDTH, printable, shorten, size
from pytest_edgebudget.graph.arena import Plan

_BESIDE = 40
"""Columns of a line beside the map: number, op, bytes."""

_FEWEST = 12
_KIND = 20
_SHORT_KIND = 8
_MOST_ROWS = 48

ROLES = {"written": "█", "read": "▓", "kept": "░", "scratch": "▒"}
"""See `Homes.role`."""
FREE = "·"
_LEGEND = "  ".join(f"{block} {role}" for role, block in {**ROLES, "free": FREE}.items())


def memory_map(account: Account, columns: int = WIDTH) -> Iterator[str]:
    """
    A line for each step: what lies where in the arena while the op runs.

    Each buffer begins with the number of the op that wrote what it holds. Long models: the
    steps with the most memory in use.
    """
    plan = account.plan
    ends = (a.end for a in plan.allocations) if account.placed else plan.live
    whole = max(ends, default=0)
    if not whole or not plan.steps:
        return
    kind = _KIND if columns - _BESIDE >= 2 * _FEWEST else _SHORT_KIND
    room = _Room(kind, max(columns - _BESIDE + _KIND - kind, _FEWEST), whole)
    yield from wrap(f"{_LEGEND}  (one column is {size(-(-whole // room.cells))})", columns)
    if not account.placed:
        text = f"{plan.runtime} asks for each buffer alone: they are stacked, the oldest first"
        yield from wrap(text, columns)
    last = -1
    for step in _shown(plan):
        if step > last + 1:
            yield f"  ⋮ {step - last - 1} more"
        last = step
        yield _row(account, step, room)
    if last < len(plan.steps) - 1:
        yield f"  ⋮ {len(plan.steps) - 1 - last} more"


@dataclass(frozen=True, slots=True)
class _Room:
    """Columns of the op's *kind* and of the map (*cells*), and the bytes that the map shows."""

    kind: int
    cells: int
    bytes: int


def _shown(plan: Plan) -> list[int]:
    steps = range(len(plan.steps))
    if len(steps) <= _MOST_ROWS:
        return list(steps)
    return sorted(sorted(steps, key=lambda step: -plan.live[step])[:_MOST_ROWS])


def _row(account: Account, step: int, room: _Room) -> str:
    plan = account.plan
    kind = shorten(printable(account.cost_at(step).kind.rpartition(":")[2]), room.kind)
    mark = "◂" if plan.live[step] == max(plan.live) else " "
    bar = _bar(account, step, room)
    line = f"{account.number(step):>5} {kind:{room.kind}} {bar} {size(plan.live[step]):>10}{mark}"
    return line.rstrip()


def _bar(account: Account, step: int, room: _Room) -> str:
    cells = [FREE] * room.cells
    for allocation in account.at(step):
        buffer = allocation.buffer
        start = min(allocation.offset * room.cells // room.bytes, room.cells - 1)
        end = max(start + 1, allocation.end * room.cells // room.bytes)
        cells[start:end] = ROLES[account.homes.role(buffer, step)] * (end - start)
        label = "" if buffer.scratch else account.maker(buffer, step)
        if len(label) < end - start:
            cells[start : start + len(label)] = label
    return "".join(cells)
