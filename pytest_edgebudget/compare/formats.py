"""Changes as text, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from pytest_edgebudget.compare.changes import Change
from pytest_edgebudget.report import changed, words
from pytest_edgebudget.texts import printable
from pytest_edgebudget.types import Unit

COLUMNS = ("model", "metric", "before", "after", "change", "verdicts", "")
RIGHT = (2, 3, 4)
SIGNS = {"worse": "**worse**", "unmeasured": "**unmeasured**"}


def as_text(changes: Sequence[Change]) -> str:
    """A table for a terminal; reasons in brackets below their lines."""
    rows = [list(COLUMNS), *(_cells(change) for change in changes)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    lines = []
    for row, change in zip(rows, [None, *changes], strict=True):
        cells = (
            cell.rjust(width) if i in RIGHT else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(cells).rstrip())
        lines += [f"    ({note})" for note in (_notes(change) if change else ())]
    lines += [line for change in changes for line in _layers(change)]
    return "\n".join(printable(line) for line in [*lines, "", summary(changes)]) + "\n"


def _layers(change: Change) -> Iterator[str]:
    """The layers that made a limit worse, as an indented table."""
    if change.layers is None:
        return
    yield ""
    yield f"{change.model}: {changed.headline(change.layers, change.metric)}"
    rows = changed.pieces(change.layers)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()
    if more := changed.more(change.layers):
        yield f"  ({more})"


def as_markdown(changes: Sequence[Change]) -> str:
    """A table for a pull request's comment."""
    lines = [
        "### Edge budgets, compared\n",
        f"{summary(changes)}\n",
        "| " + " | ".join([*COLUMNS[:-1], "result"]) + " |",
        "|---|---|--:|--:|--:|---|---|",
    ]
    lines += [_markdown_row(change) for change in changes]
    lines += [line for change in changes for line in _markdown_layers(change)]
    return "\n".join([*lines, ""])


def _markdown_layers(change: Change) -> Iterator[str]:
    if change.layers is None:
        return
    title = f"{change.model}: {changed.headline(change.layers, change.metric)}"
    yield f"\n{_plain(title)}\n"
    if rows := changed.pieces(change.layers):
        yield "| layer | kind | change | part |"
        yield "|---|---|---|--:|"
        yield from ("| " + " | ".join(map(_plain, row)) + " |" for row in rows)
    if more := changed.more(change.layers):
        yield f"\n{more}"


def _markdown_row(change: Change) -> str:
    *cells, verdict = _cells(change)
    notes = "; ".join(_notes(change))
    result = SIGNS.get(verdict, verdict) + (f": {_plain(notes)}" if notes else "")
    return "| " + " | ".join([*map(_plain, cells), result]) + " |"


def as_json(changes: Sequence[Change]) -> str:
    """Everything; numbers in SI units, None where there is nothing to compare."""
    rows = [{**asdict(change), "share": change.share} for change in changes]
    return json.dumps({"schema": 1, "changes": rows}, indent=2) + "\n"


FORMATS = {"text": as_text, "markdown": as_markdown, "json": as_json}


def summary(changes: Sequence[Change]) -> str:
    """How many limits became what, in one line."""
    counts: dict[str, int] = {}
    for change in changes:
        counts[change.verdict] = counts.get(change.verdict, 0) + 1
    order = ("worse", "better", "within noise", "same", "unmeasured", "added", "removed")
    found = [f"{counts[name]} {name}" for name in order if name in counts]
    return ", ".join(found) or "no limits in either report"


def _cells(change: Change) -> list[str]:
    statuses = [each or "-" for each in (change.before_status, change.after_status)]
    same = statuses[0] == statuses[1]
    return [
        change.model,
        change.metric,
        _reading(change, "before"),
        _reading(change, "after"),
        _difference(change),
        statuses[0] if same else " -> ".join(statuses),
        change.verdict,
    ]


def _reading(change: Change, which: str) -> str:
    row = change.before if which == "before" else change.after
    if row is None or not _known(row.value):
        return "-"
    return words.reading(row, change.unit)


def _difference(change: Change) -> str:
    if change.change is None:
        return "-"
    if change.change == 0:
        return "0"
    if change.unit == Unit.FRACTION:
        return f"{100 * change.change:+.2f} pp"
    if change.share is not None:
        return f"{100 * change.share:+.2f} %"
    return f"{change.change:+g}"


def _notes(change: Change) -> Iterator[str]:
    if change.reason and change.verdict in ("unmeasured", "worse"):
        yield change.reason
    first, second = change.recipes
    if first and second and first != second:
        yield f"recipe {first} then, {second} now"


def _plain(text: str) -> str:
    for character in "\\|<>*_`[]":
        text = text.replace(character, f"\\{character}")
    return printable(text).replace("\n", " ")


def _known(value: float | None) -> bool:
    return value is not None  # a JSON report has null for what is not finite
