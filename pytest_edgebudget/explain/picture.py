"""What the picture of a memory map shows, and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_edgebudget.explain import svg
from pytest_edgebudget.explain.account import Account
from pytest_edgebudget.explain.colours import INPUT, SCRATCH, Colour, colour_of
from pytest_edgebudget.explain.words import printable, shape, shorten, size
from pytest_edgebudget.graph.arena import Allocation

_LEFT, _RIGHT, _TOP, _BOTTOM = 84.0, 28.0, 96.0, 150.0
_HEIGHT = 380.0
_NARROWEST, _WIDEST, _WHOLE = 6.0, 64.0, 1040.0
_INK, _GREY, _FAINT, _PEAK = "#1f2933", "#616e7c", "#e4e7eb", "#c81e1e"
_LINE = "bytes in use"
_LABELLED_STEP = 15.0
"""Steps narrower than that are not named, only numbered now and then."""


@dataclass(frozen=True, slots=True)
class _Scales:
    """Steps and bytes to places."""

    steps: int
    bytes: int

    @property
    def step(self) -> float:
        """How wide a step is."""
        return min(_WIDEST, max(_NARROWEST, _WHOLE / self.steps))

    @property
    def width(self) -> float:
        """Of all steps."""
        return self.step * self.steps

    def x(self, step: int) -> float:
        """Where a step begins."""
        return _LEFT + self.step * step

    def y(self, offset: int) -> float:
        """Where an address is."""
        return _TOP + _HEIGHT * (1 - offset / self.bytes)

    def place(self, allocation: Allocation) -> tuple[float, float, float, float] | None:
        """A buffer's x, y, width and height; None when no step uses it."""
        first, last = allocation.buffer.first, allocation.buffer.last
        if not 0 <= first <= last < self.steps:
            return None
        x, y = self.x(first), self.y(allocation.end)
        height = max(self.y(allocation.offset) - y, 0.5)
        return x, y, self.x(last + 1) - x, height


def draw(account: Account) -> str:
    """The picture as SVG; each buffer has a tooltip."""
    plan = account.plan
    top = max((allocation.end for allocation in account.drawn), default=1)
    scales = _Scales(len(plan.live), max(top, plan.size, 1))
    title = f"Memory map of {printable(account.path.name)}"
    width = max(_LEFT + scales.width + _RIGHT, 620.0)
    legend = _legend_items(account, width)
    parts = (
        *_heading(account, title),
        *_peak(account, scales),
        *_axis(scales),
        *(part for item in account.drawn for part in _buffer(account, item, scales)),
        *_live(account, scales),
        *(part for item in account.drawn for part in _label(account, item, scales)),
        *_steps(account, scales),
        *_legend(legend),
    )
    return svg.document(width, legend[-1][1] + 24, title, parts)


def _heading(account: Account, title: str) -> Iterator[str]:
    plan = account.plan
    evidence = "exact" if plan.exact else "at least"
    kernels = account.profile.kernels if account.profile else ""
    runtime = f"{plan.runtime} with {kernels} kernels" if kernels else plan.runtime
    device = f" on {account.profile.name}" if account.profile else ""
    yield svg.text(_LEFT, 32, title, size=17, fill=_INK, font_weight="bold")
    note = "" if account.placed else "; places are only for the picture"
    facts = f"{size(plan.size)} of activations ({evidence}) in {runtime}{device}{note}"
    yield svg.text(_LEFT, 53, facts, size=12, fill=_GREY)


def _peak(account: Account, scales: _Scales) -> Iterator[str]:
    """A band behind the fullest steps, and the figure above the first."""
    live = account.plan.live
    most = max(live)
    for step, value in enumerate(live):
        if value == most:
            yield svg.rectangle(scales.x(step), _TOP - 6, scales.step, _HEIGHT + 6, fill="#fde8e8")
    words = f"peak {size(most)}"
    middle = scales.x(account.plan.peak) + scales.step / 2
    half = svg.text_width(words, 12) / 2
    x = max(middle, _LEFT + half)
    yield svg.text(
        x, _TOP - 12, words, size=12, fill=_PEAK, font_weight="bold", text_anchor="middle"
    )


def _axis(scales: _Scales) -> Iterator[str]:
    for value in range(0, scales.bytes + 1, _tick(scales.bytes)):
        y = scales.y(value)
        ends = [(_LEFT, y), (_LEFT + scales.width, y)]
        yield svg.line(ends, stroke=_FAINT, stroke_width="1")
        words = size(value) if value else "0"
        yield svg.text(_LEFT - 8, y + 4, words, fill=_GREY, text_anchor="end")


def _tick(most: int) -> int:
    """A power of two that makes four to eight ticks."""
    tick = 1
    while most // tick > 8:
        tick *= 2
    return tick


def _buffer(account: Account, allocation: Allocation, scales: _Scales) -> Iterator[str]:
    place = scales.place(allocation)
    if place is None:
        return
    x, y, width, height = place
    inset = min(0.75, height / 4)
    colour = colour_of(account, allocation.buffer)
    yield svg.rectangle(
        x + 0.75, y + inset, width - 1.5, height - 2 * inset,
        title=_tooltip(account, allocation), fill=colour.fill, stroke=colour.edge,
        stroke_width=f"{inset:.2f}", rx="2",
    )  # fmt: skip


def _label(account: Account, allocation: Allocation, scales: _Scales) -> Iterator[str]:
    """The number and the bytes in the middle of a rectangle, as far as there is room."""
    place = scales.place(allocation)
    if place is None:
        return
    x, y, width, height = place
    colour = colour_of(account, allocation.buffer)
    number = "scratch" if allocation.buffer.scratch else account.maker(allocation.buffer)
    words = [number, size(allocation.buffer.size)]
    lines = [line for line in words if svg.text_width(line, 11) <= width - 6]
    lines = lines[: max(0, int((height - 3) // 13))]
    top = y + height / 2 - 13 * len(lines) / 2 + 10
    for row, line in enumerate(lines):
        yield svg.text(
            x + width / 2, top + 13 * row, line, fill=colour.ink, text_anchor="middle",
            font_weight="bold" if line == number else "normal", pointer_events="none",
            # The line of bytes in use may run behind: a halo keeps the text readable.
            paint_order="stroke", stroke=colour.fill, stroke_width="4",
        )  # fmt: skip


def _tooltip(account: Account, allocation: Allocation) -> str:
    buffer = allocation.buffer
    where = f" at {allocation.offset:,}" if account.placed else ""
    place = f"{size(buffer.size)}{where}"
    if buffer.scratch:
        return f"scratch: {printable(buffer.name)}, {place}"
    tensor = account.tensor(buffer)
    maker = account.maker(buffer)
    who = "input" if maker == "in" else f"{maker} {account.cost_at(buffer.first).kind}"
    ends = f"in use from op {account.number(buffer.first)} to {account.number(buffer.last)}"
    what = f"{shape(account.shape(buffer))} {tensor.dtype}, {place}, {ends}"
    return f"{who}: {account.named(buffer.name)}, {what}"


def _live(account: Account, scales: _Scales) -> Iterator[str]:
    """Bytes in use, as a line of stairs over the buffers."""
    points: list[tuple[float, float]] = []
    for step, value in enumerate(account.plan.live):
        y = scales.y(value)
        points += [(scales.x(step), y), (scales.x(step + 1), y)]
    yield svg.line(points, stroke="#ffffff", stroke_width="3.5", stroke_linejoin="round")
    yield svg.line(points, stroke=_INK, stroke_width="1.5", stroke_dasharray="5 3")


def _steps(account: Account, scales: _Scales) -> Iterator[str]:
    """The ops under the picture; only numbers where they are many."""
    base = _TOP + _HEIGHT + 16
    most = max(account.plan.live)
    every = max(1, round(40 / scales.step)) if scales.step < _LABELLED_STEP else 1
    for step in range(0, scales.steps, every):
        x = scales.x(step) + scales.step / 2
        words = account.number(step)
        if every > 1:
            yield svg.text(x, base, words, fill=_GREY, text_anchor="middle")
            continue
        full = account.plan.live[step] == most
        kind = shorten(printable(account.cost_at(step).kind.rpartition(":")[2]), 18)
        yield svg.text(
            x + 3, base, f"{words} {kind}", size=10, text_anchor="end",
            fill=_PEAK if full else _INK, font_weight="bold" if full else "normal",
            transform=f"rotate(-42 {x + 3:.1f} {base:.1f})",
        )  # fmt: skip


_Item = tuple[float, float, Colour | None]
"""A place, and the colour that is explained there; None: the line."""


def _legend_items(account: Account, width: float) -> list[_Item]:
    """The colours that occur, inputs first and scratch last, in as many rows as they need."""
    found = {colour_of(account, item.buffer) for item in account.drawn}
    order = sorted(found, key=lambda colour: (colour is not INPUT, colour is SCRATCH, colour.name))
    items: list[_Item] = []
    x, y = _LEFT, _TOP + _HEIGHT + _BOTTOM - 30
    for colour in (*order, None):
        wide = 36 + svg.text_width(colour.name if colour else _LINE, 11)
        if x + wide > width and x > _LEFT:
            x, y = _LEFT, y + 18
        items.append((x, y, colour))
        x += wide
    return items


def _legend(items: list[_Item]) -> Iterator[str]:
    for x, y, colour in items:
        if colour:
            yield svg.rectangle(x, y - 10, 12, 12, fill=colour.fill, stroke=colour.edge, rx="2")
        else:
            yield svg.line([(x - 4, y - 4), (x + 14, y - 4)], stroke=_INK, stroke_dasharray="5 3")
        yield svg.text(x + 18, y, colour.name if colour else _LINE, fill=_INK)
