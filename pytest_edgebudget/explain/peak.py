"""The fullest step: what lies in memory then, and what would lower it."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from pytest_edgebudget.explain.account import Account
from pytest_edgebudget.explain.words import WIDTH, printable, shape, share, shorten, size
from pytest_edgebudget.graph.arena import Buffer

_MOST = 8
_NAME = 44


def peak_lines(account: Account, width: int = WIDTH, note: str = "") -> Iterator[str]:
    """What is in use at the peak (*note*: how it was counted), largest first, and the advice."""
    plan = account.plan
    if not plan.live:
        return
    cost, whole = account.cost_at(plan.peak), plan.live[plan.peak]
    start = f"Peak: {account.number(plan.peak)} {printable(cost.kind)} "
    held = f": {size(whole)} in use{note}"
    name = shorten(account.named(cost.name), min(_NAME, max(width - len(start + held), 0)))
    yield from wrap(f"{start}{name}{held}", width)
    buffers = [allocation.buffer for allocation in plan.at(plan.peak)]
    yield from (_line(buffer, account, whole, width) for buffer in buffers[:_MOST])
    if len(buffers) > _MOST:
        rest = sum(buffer.size for buffer in buffers[_MOST:])
        yield f"  {size(rest):>10} {share(rest, whole):>5} in {len(buffers) - _MOST} more"
    yield _others(account)
    if account.advice:
        yield ""
        yield "What would lower it, to:"
        for item in account.advice:
            start, end = f"  {size(item.size):>10}  ", f" ({item.evidence})"
            room = width - len(start + end)
            yield f"{start}{shorten(item.text, max(room, 0))}{end}"


def _line(buffer: Buffer, account: Account, whole: int, width: int) -> str:
    role = account.homes.role(buffer, account.plan.peak)
    text = f"  {size(buffer.size):>10} {share(buffer.size, whole):>5} {role:8}"
    if buffer.scratch:
        return text + shorten(printable(buffer.name), min(_NAME, width - len(text)))
    maker = account.maker(buffer, account.plan.peak)
    where = "input" if maker == "in" else f"of {maker}"
    text += f"{where:8} {shape(account.shape(buffer))} {account.tensor(buffer).dtype}  "
    return text[:width] + shorten(account.named(buffer.name), min(_NAME, width - len(text)))


def _others(account: Account) -> str:
    live = account.plan.live
    most = max(live)
    equal = sum(n == most for n in live)
    below = max((n for n in live if n < most), default=0)
    if len(live) == 1:
        return "  no other op runs"
    if equal == 1:
        return f"  all other ops need {size(below)} at most"
    return f"  {equal} ops need as much, all others {size(below)} at most"
