"""What the picture of a memory map shows, and where."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, radians, sin

from pytest_edgebudget.explain import svg
from pytest_edgebudget.explain.account import Account
from pytest_edgebudget.explain.boxes import box, label
from pytest_edgebudget.explain.legend import legend, legend_items
from pytest_edgebudget.explain.pieces import placed, stacked
from pytest_edgebudget.explain.scales import (
    FAINT,
    GREY,
    INK,
    LEFT,
    PEAK,
    RIGHT,
    TOP,
    Scales,
)
from pytest_edgebudget.explain.words import many, printable, shorten, size

_LEAST_WIDTH = 620.0
_LABELLED_STEP = 15.0
"""Steps narrower than that are not named, only numbered now and then."""

_NUMBERED = 44.0
"""Least distance between two numbers."""

_ANGLE = 42
_NAME = 18
_EDGE = "#52606d"


def draw(account: Account) -> str:
    """The picture as SVG; each buffer has a tooltip."""
    plan = account.plan
    pieces = placed(plan) if account.placed else stacked(plan)
    top = max((piece.end for piece in pieces), default=0)
    most = max(plan.live)
    scales = Scales(len(plan.live), max(top, plan.size, 1), most if account.placed else 0)
    title = f"Memory map of {printable(account.path.name)}"
    width = max(LEFT + scales.width + RIGHT, _LEAST_WIDTH)
    y = scales.strip[1] + _names_height(account, scales) + 34
    items = legend_items(account, pieces, scales, width, y)
    parts = (
        *_heading(account, title),
        *_peak(account, scales),
        *_axis(scales),
        *(part for piece in pieces for part in box(account, piece, scales)),
        *(part for piece in pieces for part in label(account, piece, scales)),
        *(_strip(account, scales) if scales.live else ()),
        *_steps(account, scales),
        *legend(items),
    )
    bottom = items[-1][1] if items else y
    return svg.document(width, bottom + 24, title, parts)


def _heading(account: Account, title: str) -> Iterator[str]:
    plan = account.plan
    evidence = "exact" if account.exact else "at least"
    device = f" on {account.profile.name}" if account.profile else ""
    alone = ", on the CPU alone" if account.compiler else ""
    yield svg.text(LEFT, 32, title, size=17, fill=INK, font_weight="bold")
    facts = f"{size(plan.size)} of activations ({evidence}) in {account.runtime}{device}{alone}"
    yield svg.text(LEFT, 53, facts, size=12, fill=GREY)
    if not account.placed:
        note = f"{plan.runtime} asks for each buffer alone: a stack is as high as what is in use"
        yield svg.text(LEFT, 70, note, size=12, fill=GREY)


def _peak(account: Account, scales: Scales) -> Iterator[str]:
    """A band behind the fullest steps, and the figure above the first."""
    live = account.plan.live
    most = max(live)
    bottom = scales.strip[1]
    for step, value in enumerate(live):
        if value == most:
            yield svg.rectangle(scales.x(step), TOP - 6, scales.step, bottom - TOP + 6,
                                fill="#fde8e8")  # fmt: skip
    words = f"peak {size(most)}"
    middle = scales.x(account.plan.peak) + scales.step / 2
    x = max(middle, LEFT + svg.text_width(words, 12) / 2)
    yield svg.text(x, TOP - 12, words, size=12, fill=PEAK, font_weight="bold", text_anchor="middle")


def _axis(scales: Scales) -> Iterator[str]:
    for value in range(0, scales.bytes + 1, _tick(scales.bytes)):
        y = scales.y(value)
        ends = [(LEFT, y), (LEFT + scales.width, y)]
        yield svg.line(ends, stroke=FAINT, stroke_width="1")
        words = size(value) if value else "0"
        yield svg.text(LEFT - 8, y + 4, words, fill=GREY, text_anchor="end")


def _tick(most: int) -> int:
    """A power of two that makes four to eight ticks."""
    tick = 1
    while most // tick > 8:
        tick *= 2
    return tick


def _strip(account: Account, scales: Scales) -> Iterator[str]:
    """The bytes in use at each step, under the map and with a scale of their own."""
    live = account.plan.live
    top, bottom = scales.strip
    points = [(LEFT, bottom)]
    for step, value in enumerate(live):
        y = scales.in_strip(value)
        points += [(scales.x(step), y), (scales.x(step + 1), y)]
    points.append((LEFT + scales.width, bottom))
    yield svg.area(points, fill="#cbd2d9", stroke=_EDGE, stroke_width="1")
    yield svg.text(LEFT, top - 8, "bytes in use", size=10, fill=GREY)
    yield svg.text(LEFT - 8, top + 4, size(max(live)), fill=GREY, text_anchor="end")
    yield svg.text(LEFT - 8, bottom + 4, "0", fill=GREY, text_anchor="end")


def _steps(account: Account, scales: Scales) -> Iterator[str]:
    """The ops under the picture; only numbers where they are many."""
    base = scales.strip[1] + 16
    if scales.step < _LABELLED_STEP:
        for step in _numbered(account, scales):
            x = scales.x(step) + scales.step / 2
            yield svg.text(x, base, account.number(step), fill=GREY, text_anchor="middle")
        words = f"number of the op, of {many(len(account.costs), 'op')}"
        yield svg.text(LEFT, base + 18, words, size=10, fill=GREY)
        return
    most = max(account.plan.live)
    for step in range(scales.steps):
        x = scales.x(step) + scales.step / 2
        full = account.plan.live[step] == most
        yield svg.text(
            x + 3, base, _name(account, step), size=10, text_anchor="end",
            fill=PEAK if full else INK, font_weight="bold" if full else "normal",
            transform=f"rotate(-{_ANGLE} {x + 3:.1f} {base:.1f})",
        )  # fmt: skip


def _name(account: Account, step: int) -> str:
    kind = shorten(printable(account.cost_at(step).kind.rpartition(":")[2]), _NAME)
    return f"{account.number(step)} {kind}"


def _names_height(account: Account, scales: Scales) -> float:
    """How far the names of the ops reach down."""
    if scales.step < _LABELLED_STEP:
        return 34.0
    longest = max(svg.text_width(_name(account, step), 10) for step in range(scales.steps))
    return 16 + longest * sin(radians(_ANGLE)) + 10 * cos(radians(_ANGLE))


def _numbered(account: Account, scales: Scales) -> Iterator[int]:
    """
    The steps whose numbers are written: round ones, as far apart as they need.

    A step is not an op's number: some ops do not run, others in another order.
    """
    every = next(n for n in _ROUND if n * scales.step >= _NUMBERED)
    last = -every
    for step in range(scales.steps):
        where = account.plan.steps[step]
        apart = step - last
        if (where.op % every == 0 and apart >= every * 2 // 3) or apart >= every * 2:
            yield step
            last = step


_ROUND = tuple(n * 10**power for power in range(7) for n in (1, 2, 5))
