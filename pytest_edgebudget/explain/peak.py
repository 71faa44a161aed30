"""The fullest step: what lies in memory then, and what would lower it."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.explain.account import Account
from pytest_edgebudget.explain.words import printable, shape, share, shorten, size
from pytest_edgebudget.graph.arena import Buffer

_MOST = 8
_NAME = 44
_ADVICE = 74


def peak_lines(account: Account) -> Iterator[str]:
    """What is in use at the peak, largest first, and the advice."""
    plan = account.plan
    if not plan.live:
        return
    cost, whole = account.cost_at(plan.peak), plan.live[plan.peak]
    yield (
        f"Peak: {account.number(plan.peak)} {printable(cost.kind)} "
        f"{shorten(account.named(cost.name), _NAME)}: {size(whole)} in use"
    )
    buffers = [allocation.buffer for allocation in plan.at(plan.peak)]
    yield from (_line(buffer, account, whole) for buffer in buffers[:_MOST])
    if len(buffers) > _MOST:
        rest = sum(buffer.size for buffer in buffers[_MOST:])
        yield f"  {size(rest):>10} {share(rest, whole):>5} in {len(buffers) - _MOST} more"
    yield _others(account)
    if account.advice:
        yield ""
        yield "What would lower it, to:"
        for item in account.advice:
            yield f"  {size(item.size):>10}  {shorten(item.text, _ADVICE)} ({item.evidence})"


def _line(buffer: Buffer, account: Account, whole: int) -> str:
    role = account.homes.role(buffer, account.plan.peak)
    text = f"  {size(buffer.size):>10} {share(buffer.size, whole):>5} {role:8}"
    if buffer.scratch:
        return text + shorten(printable(buffer.name), _NAME)
    maker = account.maker(buffer, account.plan.peak)
    where = "input" if maker == "in" else f"of {maker}"
    name = shorten(account.named(buffer.name), _NAME)
    return f"{text}{where:8} {shape(account.shape(buffer))} {account.tensor(buffer).dtype}  {name}"


def _others(account: Account) -> str:
    live = account.plan.live
    most = max(live)
    equal = sum(n == most for n in live)
    below = max((n for n in live if n < most), default=0)
    if equal == 1:
        return f"  all other ops need {size(below)} at most"
    return f"  {equal} ops need as much, all others {size(below)} at most"
