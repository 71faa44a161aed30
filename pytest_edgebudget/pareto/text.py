"""The search in words: a line for each candidate, and what was found."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_edgebudget.pareto.front import front
from pytest_edgebudget.report import words
from pytest_edgebudget.report.advice import tried
from pytest_edgebudget.report.base import ModelRow, TrialRow

RECIPE_WIDTH = 28


def line(trial: TrialRow) -> str:
    """One candidate, as soon as it is known."""
    cells = [f"{name} {words.value(v, trial.units[name])}" for name, v in _shown(trial).items()]
    return (
        f"{trial.recipe:{RECIPE_WIDTH}} {trial.seconds:5.1f} s  {', '.join([*cells, tried(trial)])}"
    )


def _shown(trial: TrialRow) -> Mapping[str, float]:
    return {name: value for name, value in trial.readings.items() if name in trial.units}


CUT_SHORT = "the search ended at its limit of trials or time: what it did not try may be better"


def summary(
    row: ModelRow, better: Mapping[str, str], out: Path | None, *, cut_short: bool = False
) -> str:
    """The table of all candidates, and what next."""
    more = [CUT_SHORT] if cut_short else []
    return "\n".join([*_table(row, better), "", *more, *_found(row, out)]) + "\n"


def _table(row: ModelRow, better: Mapping[str, str]) -> Iterator[str]:
    best = front(row.trials, better)
    names = [name for name in better if any(name in t.readings for t in row.trials)]
    rows = [["", "recipe", *names, "s", ""]]
    for trial in row.trials:
        mark = "◂" if trial.recipe == row.recipe else "*" if trial.recipe in best else ""
        cells = [
            words.value(trial.readings[name], trial.units[name]) if name in trial.readings else "-"
            for name in names
        ]
        rows.append([mark, trial.recipe, *cells, f"{trial.seconds:.1f}", tried(trial)])
    yield from _aligned(rows)
    others = "no other candidate is better in one column without being worse in another"
    yield f"◂ {'chosen' if row.fits else 'closest'}   * {others}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if 1 < i < len(row) - 1 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _found(row: ModelRow, out: Path | None) -> Iterator[str]:
    if row.fits:
        yield f"{row.name}: {row.recipe} keeps every limit ({words.value(row.size, 'B')})"
        yield f'to keep it: optimize = ["{row.recipe}"]'
    else:
        yield f"{row.name}: no candidate keeps every limit; the closest is {row.recipe}"
        yield from (f"  {sentence}" for sentence in row.infeasible)
    if out is not None:
        yield f"wrote {shlex.quote(str(out))} ({row.sha256[:12]})"
