"""Series as text, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from pytest_edgebudget.history.change_points import ChangePoint
from pytest_edgebudget.history.rows import COLUMNS, HistoryRow
from pytest_edgebudget.history.series import Series, sparkline
from pytest_edgebudget.report import words
from pytest_edgebudget.report.base import ReadingRow
from pytest_edgebudget.texts import printable
from pytest_edgebudget.types import Unit

SHOWN = 20  # readings of a limit
CHANGES_SHOWN = 5


def as_text(found: Sequence[Series], *, detailed: bool) -> str:
    """A block a series: its sparkline, where it changed, and *detailed* its readings."""
    if not found:
        return "no readings\n"
    blocks = ["\n".join(_block(series, detailed=detailed)) for series in found]
    return "\n".join("\n".join(map(printable, block.split("\n"))) + "\n" for block in blocks)


def as_json(found: Sequence[Series]) -> str:
    """Everything, values in SI units."""
    plain = [
        {
            "file": series.last.file,
            "model": series.last.model,
            "metric": series.last.metric,
            "unit": series.last.unit,
            "evidence": series.last.evidence,
            "key": json.loads(series.last.key),
            "readings": [_plain(row) for row in series.rows],
            "changes": [_change_plain(series, point) for point in series.changes],
        }
        for series in found
    ]
    return json.dumps({"schema": 1, "series": plain}, indent=2) + "\n"


def as_csv(found: Sequence[Series]) -> str:
    """One line a reading, with a line of names first."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for series in found:
        writer.writerows(row.to_plain() for row in series.rows)
    return out.getvalue()


def _plain(row: HistoryRow) -> dict[str, object]:
    return {**row.to_plain(), "key": json.loads(row.key)}


def _change_plain(series: Series, point: ChangePoint) -> dict[str, object]:
    row = series.rows[point.index]
    return {
        "index": point.index,
        "commit": row.commit_id,
        "before": point.before,
        "after": point.after,
        "probability": point.probability,
    }


def _block(series: Series, *, detailed: bool) -> Iterator[str]:
    last = series.last
    count = f"{len(series.rows)} reading{'s' if len(series.rows) != 1 else ''}"
    yield f"{series.name}: {_reading(last)}, {last.evidence}, {count}"
    yield f"  {sparkline(series.values)}"
    if len(series.changes) > CHANGES_SHOWN:
        yield f"  {len(series.changes) - CHANGES_SHOWN} earlier changes"
    for point in series.changes[-CHANGES_SHOWN:]:
        yield f"  {_change(series, point)}"
    if detailed:
        yield from _table(series.rows[-SHOWN:])


def _change(series: Series, point: ChangePoint) -> str:
    """``+4.1 % at 1a2b3c4d (2026-11-24, main): 7.80 ms to 8.12 ms, p 0.001``."""
    row = series.rows[point.index]
    levels = [words.value(level, row.unit) for level in (point.before, point.after)]
    size = (
        f"{100 * (point.after - point.before):+.2f} pp"
        if row.unit == Unit.FRACTION
        else f"{100 * point.share:+.1f} %"
    )
    sure = f", p {point.probability:.2g}" if point.probability else ""
    worse = (point.after > point.before) is (row.better == "lower")
    return (
        f"{'worse' if worse else 'better'} {size} at {_commit(row)} "
        f"({', '.join(filter(None, (_day(row.at), row.branch)))}): {' to '.join(levels)}{sure}"
    )


def _table(rows: Sequence[HistoryRow]) -> Iterator[str]:
    cells = [("when", "commit", "branch", "reading", "verdict", "recipe")]
    cells += [
        (_when(row.at), _commit(row), row.branch or "-", _reading(row), row.status, row.recipe)
        for row in rows
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for each in cells:
        padded = (cell.ljust(width) for cell, width in zip(each, widths, strict=True))
        yield "  " + "  ".join(padded).rstrip()


def _commit(row: HistoryRow) -> str:
    return (row.commit_id[:8] or "no commit") + ("+" if row.dirty else "")


def _reading(row: HistoryRow) -> str:
    if row.value is None:
        return "-"
    low, high = (row.value if each is None else each for each in (row.low, row.high))
    plain = ReadingRow(
        value=row.value, low=low, high=high, evidence=row.evidence, noisy=bool(row.noisy), key={}
    )
    return words.reading(plain, row.unit)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
