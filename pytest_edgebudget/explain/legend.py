"""The legend of a picture: the colours of the boxes that can be seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_edgebudget.explain import svg
from pytest_edgebudget.explain.account import Account
from pytest_edgebudget.explain.colours import INPUT, SCRATCH, Colour, colour_of
from pytest_edgebudget.explain.pieces import Piece
from pytest_edgebudget.explain.scales import INK, LEFT, RIGHT, Scales

_VISIBLE = 2.0
"""Units of height below which a box is a line without a colour."""

_ROW = 20.0

Item = tuple[float, float, Colour]
"""A place, and the colour that is explained there."""


def legend_items(
    account: Account, pieces: Iterable[Piece], scales: Scales, width: float, y: float
) -> list[Item]:
    """The colours that can be seen, inputs first and scratch last, in rows from *y* on."""
    items: list[Item] = []
    x = LEFT
    for colour in sorted(_seen(account, pieces, scales), key=_order):
        wide = 36 + svg.text_width(colour.name, 11)
        if x + wide > width - RIGHT and x > LEFT:
            x, y = LEFT, y + _ROW
        items.append((x, y, colour))
        x += wide
    return items


def legend(items: Iterable[Item]) -> Iterator[str]:
    """A box and a name for each."""
    for x, y, colour in items:
        yield svg.rectangle(x, y - 10, 12, 12, fill=colour.fill, stroke=colour.edge, rx="2")
        yield svg.text(x + 18, y, colour.name, fill=INK)


def _seen(account: Account, pieces: Iterable[Piece], scales: Scales) -> set[Colour]:
    places = ((piece, scales.place(piece)) for piece in pieces)
    return {
        colour_of(account, piece.buffer)
        for piece, place in places
        if place is not None and place[3] >= _VISIBLE
    }


def _order(colour: Colour) -> tuple[bool, bool, str]:
    return colour is not INPUT, colour is SCRATCH, colour.name
