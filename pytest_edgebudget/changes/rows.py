"""What changed, as a row of the report."""

from __future__ import annotations

from pytest_edgebudget.changes.account import Counted
from pytest_edgebudget.changes.attribute import Piece
from pytest_edgebudget.report.base import ChangedRow, PieceRow
from pytest_edgebudget.texts import printable

MOST = 20
"""Pieces of a row; the last holds all that are smaller. Those that explain 90 % are all there."""


def changed_row(since: str, counted: Counted) -> ChangedRow:
    """The difference to the version *since*; its pieces still add up to the whole."""
    found = counted.found
    kept = max(MOST, found.enough)
    pieces = [_piece(piece) for piece in found.pieces[:kept]]
    left = found.pieces[kept:]
    if left:
        pieces.append(_together(left))
    return ChangedRow(
        since=since,
        of=counted.of,
        unit=counted.unit.value,
        evidence=found.evidence.value,
        before=float(found.before),
        after=float(found.after),
        pieces=tuple(pieces),
        enough=found.enough,
    )


def _piece(piece: Piece) -> PieceRow:
    return PieceRow(
        name=printable(piece.name),
        kind=printable(piece.kind),
        what=printable(piece.what),
        before=float(piece.before),
        after=float(piece.after),
    )


def _together(pieces: tuple[Piece, ...]) -> PieceRow:
    return PieceRow(
        name=f"({len(pieces)} smaller changes)",
        kind="",
        what="",
        before=float(sum(piece.before for piece in pieces)),
        after=float(sum(piece.after for piece in pieces)),
    )
