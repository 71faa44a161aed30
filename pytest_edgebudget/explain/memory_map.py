"""The memory map in the terminal: steps downwards, addresses to the right."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.explain.account import Account
from pytest_edgebudget.explain.words import printable, shorten, size
from pytest_edgebudget.graph.arena import Plan

_CELLS = 60
_KIND = 20
_MOST_ROWS = 48

ROLES = {"written": "█", "read": "▓", "kept": "░", "scratch": "▒"}
"""See `Homes.role`."""
FREE = "·"
_LEGEND = "  ".join(f"{block} {role}" for role, block in {**ROLES, "free": FREE}.items())


def memory_map(account: Account) -> Iterator[str]:
    """
    A line for each step: what lies where in the arena while the op runs.

    Each buffer begins with the number of the op that wrote what it holds. Long models: the
    steps with the most memory in use.
    """
    plan = account.plan
    width = max((a.end for a in account.drawn), default=0)
    if not width or not plan.steps:
        return
    yield f"{_LEGEND}  (one column is {size(-(-width // _CELLS))})"
    if not account.placed:
        yield f"{plan.runtime} asks for each buffer alone: their places are only for the map"
    last = -1
    for step in _shown(plan):
        if step > last + 1:
            yield f"  ⋮ {step - last - 1} more"
        last = step
        yield _row(account, step, width)
    if last < len(plan.steps) - 1:
        yield f"  ⋮ {len(plan.steps) - 1 - last} more"


def _shown(plan: Plan) -> list[int]:
    steps = range(len(plan.steps))
    if len(steps) <= _MOST_ROWS:
        return list(steps)
    return sorted(sorted(steps, key=lambda step: -plan.live[step])[:_MOST_ROWS])


def _row(account: Account, step: int, width: int) -> str:
    plan = account.plan
    kind = shorten(printable(account.cost_at(step).kind.rpartition(":")[2]), _KIND)
    mark = "◂" if plan.live[step] == max(plan.live) else " "
    bar = _bar(account, step, width)
    line = f"{account.number(step):>5} {kind:{_KIND}} {bar} {size(plan.live[step]):>10}{mark}"
    return line.rstrip()


def _bar(account: Account, step: int, width: int) -> str:
    cells = [FREE] * _CELLS
    for allocation in account.at(step):
        buffer = allocation.buffer
        start = min(allocation.offset * _CELLS // width, _CELLS - 1)
        end = max(start + 1, allocation.end * _CELLS // width)
        cells[start:end] = ROLES[account.homes.role(buffer, step)] * (end - start)
        label = "" if buffer.scratch else account.maker(buffer, step)
        if len(label) < end - start:
            cells[start : start + len(label)] = label
    return "".join(cells)
