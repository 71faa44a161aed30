"""The table at the end of a run, and the header at its start."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from pytest_edgebudget.report import words
from pytest_edgebudget.report.base import ErrorRow, FileRow, LimitRow, LintRow, ModelRow, Run

BOLD, GREEN, RED, YELLOW = "1", "32", "31", "33"
COLOURS = {
    "kept": GREEN,
    "broken": RED,
    "unmeasured": RED,
    "error": RED,
    "undecided": YELLOW,
    "warned": YELLOW,
    "waived": YELLOW,
    "skipped": YELLOW,
}
COLUMNS = ("model", "before", "after", "limit", "headroom", "evidence", "verdict")
RIGHT = ("before", "after", "headroom")
SIDES = ("<=", ">=")
WIDTH = 100
"""Columns of what is told in words below a limit."""


def header(row: FileRow) -> str:
    """One line a budget file, in pytest's header."""
    return f"edge budget: {row.file}: {words.device(row)}"


def table(run: Run, *, colour: bool) -> str:
    """One line a limit, grouped by budget file and model."""
    rows: list[LimitRow | LintRow | ErrorRow] = [*run.limits, *run.lints, *run.errors]
    files = [row.file for row in rows]
    blocks = [_block(run, file, colour=colour) for file in dict.fromkeys(files)]
    return "\n".join(blocks)


def _block(run: Run, file: str, *, colour: bool) -> str:
    rows = [(list(COLUMNS), BOLD), *_rows(run, file)]
    widths = [
        max(len(cells[i]) for cells, _ in rows if len(cells) > 1) for i in range(len(COLUMNS))
    ]
    lines = [_painted(_title(run, file), BOLD, colour)]
    for cells, status in rows:
        *most, last = [_aligned(cell, i, widths[i]) for i, cell in enumerate(cells)]
        last = _painted(last.rstrip(), COLOURS.get(status, status), colour)
        lines.append("  ".join([*most, last]).rstrip())
    return "\n".join(lines) + "\n"


def _aligned(cell: str, column: int, width: int) -> str:
    return cell.rjust(width) if COLUMNS[column] in RIGHT else cell.ljust(width)


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour and code and text else text


def _title(run: Run, file: str) -> str:
    device = next((words.device(row) for row in run.files if row.file == file), "")
    return f"{file}: {device}" if device else file


def _rows(run: Run, file: str) -> Iterator[tuple[list[str], str]]:
    rows: list[LimitRow | LintRow | ErrorRow] = [*run.limits, *run.lints, *run.errors]
    for name in dict.fromkeys(row.model for row in rows if row.file == file):
        yield from _part(run, file, name)


def _part(run: Run, file: str, name: str) -> Iterator[tuple[list[str], str]]:
    """A model or a group: its title, its limits, what the linter found, what failed."""
    model = run.model(file, name)
    yield [_model_cell(model, name)], ""
    yield from (([f"  ({note})"], "") for note in (model.notes if model else ()))
    for row in run.limits:
        if (row.file, row.model) == (file, name):
            yield _cells(row), row.status
            yield from (([f"    {line}"], "") for line in _wrapped(words.estimate(row)))
            yield from (([f"    {line}"], "") for line in _wrapped(words.against(row)))
            yield from (([f"    {line}"], "") for line in _wrapped(words.drop(row)))
            if row.waiver:
                yield [f"    ({row.waiver})"], ""
    for lint in run.lints:
        if (lint.file, lint.model) == (file, name):
            yield ["  lint", "", words.findings(lint), "", "", "", lint.status], lint.status
            yield from (([f"    {line}"], "") for line in words.told(lint))
    for error in run.errors:
        if (error.file, error.model) == (file, name):
            metric = error.id.rpartition("::")[2]
            yield [f"  {metric}", "", "", "", "", "", "ERROR"], "error"


def _wrapped(basis: str) -> list[str]:
    """What an estimate was made from, in lines that a terminal shows whole."""
    return textwrap.wrap(f"({basis})", WIDTH, subsequent_indent=" ") if basis else []


def _model_cell(model: ModelRow | None, name: str) -> str:
    if model is None:
        return name
    lock = " (lock)" if any(t.from_lock and t.state == "chosen" for t in model.trials) else ""
    return f"{name}: {model.recipe}{lock}"


def _cells(row: LimitRow) -> list[str]:
    return [
        f"  {row.metric}",
        words.reading(row.before, row.unit),
        words.reading(row.after, row.unit),
        words.limit(row, SIDES),
        words.headroom(row),
        row.after.evidence if row.after else "-",
        row.status,
    ]
