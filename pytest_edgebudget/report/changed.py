"""What changed since an earlier version, in words."""

from __future__ import annotations

from pytest_edgebudget.report import words
from pytest_edgebudget.report.base import ChangedRow, FixRow, PieceRow

SHOWN = 5
NAME = 44


def headline(row: ChangedRow, metric: str) -> str:
    """
    ``What changed since the lock: size +12.3 KiB; 2 of 9 changes explain 96 % of it``.

    Says where the layers are of another metric, or an estimate.
    """
    if row.reason:
        return f"What changed since {row.since} cannot be told by layer: {row.reason}"
    other = f" ({metric} itself is not known by layer)" if row.of != metric else ""
    total = signed(row.after - row.before, row.unit)
    start = f"What changed since {row.since}: {row.of} {total}{other}"
    if not row.pieces:
        return f"{start}: the layers are as they were"
    count = len(row.pieces)
    guess = ", by estimate" if row.evidence == "estimated" else ""
    if count == 1:
        return f"{start}, all of it in one place{guess}"
    return f"{start}; {row.enough} of {count} changes {_explain(row)}{guess}"


def _explain(row: ChangedRow) -> str:
    """Which part of the difference the first changes are, or what the others take off again."""
    whole = row.after - row.before
    part = sum(piece.after - piece.before for piece in row.pieces[: row.enough])
    if part / whole <= 1.005:
        return f"explain {100 * part / whole:.0f} % of it"
    return f"are {signed(part, row.unit)}, the others {signed(whole - part, row.unit)}"


def pieces(row: ChangedRow, most: int = SHOWN) -> list[list[str]]:
    """The changes that explain it as rows of a table: name, kind, what, by how much."""
    return [cells(piece, row.unit) for piece in row.pieces[: min(row.enough, most)]]


def more(row: ChangedRow, most: int = SHOWN) -> str:
    """How many of those that explain it are not shown."""
    left = row.enough - most
    return f"and {left} more of them" if left > 0 else ""


def cells(piece: PieceRow, unit: str) -> list[str]:
    """One change: name, kind, what became of the layer, and its part of the difference."""
    return [
        _short(piece.name),
        piece.kind,
        piece.what,
        signed(piece.after - piece.before, unit),
    ]


def _short(name: str) -> str:
    """The end of a long name, which says more than its start."""
    return name if len(name) <= NAME else f"...{name[3 - NAME :]}"


def signed(amount: float, unit: str) -> str:
    """An amount with its sign."""
    return f"{'-' if amount < 0 else '+'}{words.value(abs(amount), unit)}"


def fix(row: FixRow, unit: str, why: str = "") -> str:
    """One fix in a line: what to do, why it helps, what the reading would then be."""
    start = {
        "recipe": f'optimize = [..., "{row.text}"]',
        "threads": f"threads = {row.text} in [device]",
    }.get(row.kind, row.text)
    parts = [start + (f": {why}" if why else "")]
    if row.value is not None:
        parts.append(_becomes(row, unit))
    return "; ".join(parts) if why else ": ".join(parts)


def _becomes(row: FixRow, unit: str) -> str:
    assert row.value is not None
    about = "about " if row.evidence == "estimated" else ""
    text = f"{about}{words.value(row.value, unit)}"
    if row.low is not None and row.high is not None and row.low != row.high:
        text += f" ({words.value(row.low, unit)} - {words.value(row.high, unit)})"
    end = {"yes": "enough", "maybe": "may be enough", "no": "not enough alone"}.get(row.enough, "")
    return f"{text}, {end}" if end else text
