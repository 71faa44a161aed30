"""The rectangles of a picture: a buffer each, with its label and tooltip."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.explain import svg
from pytest_edgebudget.explain.account import Account
from pytest_edgebudget.explain.colours import colour_of
from pytest_edgebudget.explain.pieces import Piece
from pytest_edgebudget.explain.scales import Scales
from pytest_edgebudget.explain.words import printable, shape, size

_SEAM = 0.75
"""Half of what is left free between two rectangles."""


def box(account: Account, piece: Piece, scales: Scales) -> Iterator[str]:
    """The rectangle of a piece, and its tooltip."""
    place = scales.place(piece)
    if place is None:
        return
    x, y, width, height = place
    inset = min(_SEAM, height / 4)
    colour = colour_of(account, piece.buffer)
    yield svg.rectangle(
        x + _SEAM, y + inset, width - 2 * _SEAM, height - 2 * inset,
        title=_tooltip(account, piece), fill=colour.fill, stroke=colour.edge,
        stroke_width=f"{inset:.2f}", rx="2",
    )  # fmt: skip


def label(account: Account, piece: Piece, scales: Scales) -> Iterator[str]:
    """The number and the bytes in the middle of a rectangle, as far as there is room."""
    place = scales.place(piece)
    if place is None:
        return
    x, y, width, height = place
    number = "scratch" if piece.buffer.scratch else account.maker(piece.buffer)
    words = [number, size(piece.buffer.size)]
    lines = [line for line in words if svg.text_width(line, 11) <= width - 6]
    lines = lines[: max(0, int((height - 3) // 13))]
    top = y + height / 2 - 13 * len(lines) / 2 + 10
    for row, line in enumerate(lines):
        yield svg.text(
            x + width / 2, top + 13 * row, line, fill=colour_of(account, piece.buffer).ink,
            text_anchor="middle", font_weight="bold" if line == number else "normal",
            pointer_events="none",
        )  # fmt: skip


def _tooltip(account: Account, piece: Piece) -> str:
    buffer = piece.buffer
    where = f" at {piece.offset:,}" if account.placed else ""
    place = f"{size(buffer.size)}{where}"
    if buffer.scratch:
        return f"scratch: {printable(buffer.name)}, {place}"
    tensor = account.tensor(buffer)
    maker = account.maker(buffer)
    who = "input" if maker == "in" else f"{maker} {account.cost_at(buffer.first).kind}"
    ends = f"in use from op {account.number(buffer.first)} to {account.number(buffer.last)}"
    what = f"{shape(account.shape(buffer))} {tensor.dtype}, {place}, {ends}"
    return f"{who}: {account.named(buffer.name)}, {what}"
