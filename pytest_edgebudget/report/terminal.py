"""The table at the end of a run, and the header at its start."""

from __future__ import annotations

import io
from collections.abc import Iterator

from pytest_edgebudget.report import words
from pytest_edgebudget.report.base import FileRow, LimitRow, Run

COLOURS = {
    "kept": "green",
    "broken": "red",
    "unmeasured": "red",
    "error": "red",
    "undecided": "yellow",
    "warned": "yellow",
    "waived": "yellow",
    "skipped": "yellow",
}
COLUMNS = ("model", "metric", "before", "after", "limit", "headroom", "evidence", "verdict")


def header(row: FileRow) -> str:
    """One line a budget file, in pytest's header."""
    return f"edge budget: {row.file}: {words.device(row)}"


def table(run: Run, *, width: int, colour: bool) -> str:
    """One line a limit, grouped by budget file and model."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    console = Console(file=out, width=max(width, 80), force_terminal=colour, highlight=False)
    files = [row.file for row in run.limits] + [row.file for row in run.errors]
    for file in dict.fromkeys(files):
        grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for name in COLUMNS:
            right = name in ("before", "after", "headroom")
            grid.add_column(name, justify="right" if right else "left", overflow="fold")
        for cells, status in _rows(run, file):
            grid.add_row(*(Text(c) for c in cells[:-1]), Text(cells[-1], COLOURS.get(status, "")))
        console.print(Text(_title(run, file), "bold"))
        console.print(grid)
        console.print()
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).rstrip() + "\n"


def _title(run: Run, file: str) -> str:
    device = next((words.device(row) for row in run.files if row.file == file), "")
    return f"{file}: {device}" if device else file


def _rows(run: Run, file: str) -> Iterator[tuple[list[str], str]]:
    last = None
    for row in run.limits:
        if row.file != file:
            continue
        name = _model_cell(run, row) if row.model != last else ""
        last = row.model
        yield [name, *_cells(row)], row.status
    for error in run.errors:
        if error.file == file:
            metric = error.id.rpartition("::")[2]
            yield [error.model, metric, "", "", "", "", "", "ERROR"], "error"


def _model_cell(run: Run, row: LimitRow) -> str:
    model = run.model(row.file, row.model)
    if model is None:
        return row.model
    lock = " (lock)" if any(t.from_lock and t.state == "chosen" for t in model.trials) else ""
    return f"{row.model}: {model.recipe}{lock}"


def _cells(row: LimitRow) -> list[str]:
    return [
        row.metric,
        words.reading(row.before, row.unit),
        words.reading(row.after, row.unit),
        words.limit(row),
        words.headroom(row),
        row.after.evidence if row.after else "-",
        row.status,
    ]
