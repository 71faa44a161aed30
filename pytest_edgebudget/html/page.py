"""The page: a summary, then each budget file, then each model."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_edgebudget.html import bars, marks, plots
from pytest_edgebudget.html.extras import Maps, Trends
from pytest_edgebudget.html.samples import flipped
from pytest_edgebudget.html.style import CSS
from pytest_edgebudget.report import changed, words
from pytest_edgebudget.report.advice import advice, tried
from pytest_edgebudget.report.base import (
    ErrorRow,
    FileRow,
    LimitRow,
    LintRow,
    ModelRow,
    Run,
)

ORDER = ("broken", "unmeasured", "error", "undecided", "warned", "waived", "skipped", "kept")
Row = LimitRow | LintRow | ErrorRow
HEAD = ("limit", "before", "after", "bound", "", "headroom", "evidence", "verdict")


def render(run: Run, *, samples: bool = False) -> str:
    """
    One self-contained file: no network, no script, light and dark.

    *samples*: with pictures of samples whose answer changed, which are data. Memory
    maps and changes in the history are left out where drawing them all would take
    longer than about a second each.
    """
    trends, maps = Trends(run.root), Maps()
    body = "".join(_body(run, Sights(trends, maps, samples)))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{marks.text(_title(run))}</title><style>{CSS}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _title(run: Run) -> str:
    return f"Edge budgets: {', '.join(f'{n} {name}' for name, n in _counts(run)) or 'no limits'}"


def _counts(run: Run) -> list[tuple[str, int]]:
    found = [row.status for row in run.limits] + [row.status for row in run.lints]
    found += ["error"] * len(run.errors)
    return [(name, found.count(name)) for name in ORDER if name in found]


@dataclass(frozen=True, slots=True)
class Sights:
    """What the page shows beside the rows of the run."""

    trends: Trends
    maps: Maps
    samples: bool


def _body(run: Run, sights: Sights) -> Iterator[str]:
    yield "<h1>Edge budgets</h1>"
    yield '<ul class="chips">'
    yield from (f'<li class="{name}">{count} {name}</li>' for name, count in _counts(run))
    yield "</ul>"
    rows: list[Row] = [*run.limits, *run.lints, *run.errors]
    for file in dict.fromkeys(row.file for row in rows):
        yield from _file(run, file, sights)
    yield from _environment(run)


def _file(run: Run, file: str, sights: Sights) -> Iterator[str]:
    device = next((row for row in run.files if row.file == file), None)
    yield f"<h2>{marks.text(file)}</h2>"
    if device:
        yield f'<p class="soft">{marks.text(words.device(device))}</p>'
    rows: list[Row] = [*run.limits, *run.lints, *run.errors]
    for name in dict.fromkeys(row.model for row in rows if row.file == file):
        yield _part(run, file, name, device, sights)


def _part(run: Run, file: str, name: str, device: FileRow | None, sights: Sights) -> str:
    limits = [row for row in run.limits if (row.file, row.model) == (file, name)]
    errors = [row for row in run.errors if (row.file, row.model) == (file, name)]
    lints = [row for row in run.lints if (row.file, row.model) == (file, name)]
    statuses = [row.status for row in limits] + [row.status for row in lints]
    statuses += ["error"] * len(errors)
    worst = min(statuses, key=ORDER.index, default="kept")
    model = run.model(file, name)
    recipe = f' <span class="soft">{marks.text(model.recipe)}</span>' if model else ""
    summary = f'{marks.text(name)}{recipe} <span class="{worst}">{worst}</span>'
    inside = [_limits(limits)] if limits else []
    inside += [f'<p class="error">{marks.text(row.message)}</p>' for row in errors]
    inside += [f"<p>lint: {marks.text(line)}</p>" for row in lints for line in words.told(row)]
    inside += _told(limits, model)
    inside += _changed(limits)
    inside += _layers(limits)
    inside += _candidates(model, limits)
    if sights.samples and model:
        inside += flipped(limits, model)
    inside += _trends(limits, sights.trends)
    inside += _maps(model, device, sights.maps)
    return marks.details(summary, "".join(inside), opened=worst != "kept" or len(run.models) <= 3)


def _limits(rows: Sequence[LimitRow]) -> str:
    cells = [
        (
            marks.text(row.metric),
            marks.text(words.reading(row.before, row.unit)),
            marks.text(words.reading(row.after, row.unit)),
            marks.text(words.limit(row)),
            bars.reading_bar(row),
            marks.text(words.headroom(row)),
            marks.text(row.after.evidence if row.after else "-"),
            f'<span class="{row.status}">{row.status}</span>',
        )
        for row in rows
    ]
    return marks.table(HEAD, cells, numbers=(1, 2, 5), label="limits")


def _told(rows: Sequence[LimitRow], model: ModelRow | None) -> Iterator[str]:
    """What a reader must know of a limit, and what would fix one that does not hold."""
    for row in rows:
        notes = [
            row.note,
            words.against(row),
            words.drop(row),
            row.reason if row.status != "kept" else "",
        ]
        for note in dict.fromkeys(filter(None, notes)):
            yield f'<p class="soft">{marks.text(row.metric)}: {marks.text(note)}</p>'
        fixes = list(advice(row, model)) if row.fails else []
        if fixes:
            items = "".join(f"<li>{marks.text(fix)}</li>" for fix in fixes)
            yield f"<p>What would fix {marks.text(row.metric)}:</p><ul>{items}</ul>"


def _changed(rows: Sequence[LimitRow]) -> Iterator[str]:
    """The layers behind each broken limit, before and after."""
    for row in rows:
        if row.changed is None:
            continue
        title = marks.text(changed.headline(row.changed, row.metric))
        if not row.changed.pieces:
            yield f"<p>{title}</p>"
            continue
        longest = max(max(each.before, each.after) for each in row.changed.pieces)
        cells = [
            (
                marks.text(piece.name),
                marks.text(piece.kind),
                marks.text(piece.what),
                marks.text(words.value(piece.before, row.changed.unit)),
                marks.text(words.value(piece.after, row.changed.unit)),
                bars.pair_bar(piece.before, piece.after, longest),
                marks.text(changed.signed(piece.after - piece.before, row.changed.unit)),
            )
            for piece in row.changed.pieces
        ]
        head = ("layer", "kind", "change", "before", "after", "", "part")
        table = marks.table(head, cells, numbers=(3, 4, 6), label=f"{row.metric}: what changed")
        yield marks.details(title, table, opened=True)


def _layers(rows: Sequence[LimitRow]) -> Iterator[str]:
    seen: set[str] = set()
    for row in rows:
        if row.layers and row.layers_of not in seen:
            seen.add(row.layers_of)
            yield marks.details(f"{marks.text(row.layers_of)} by layer", bars.layer_table(row))


def _candidates(model: ModelRow | None, rows: Sequence[LimitRow]) -> Iterator[str]:
    if model is None or len(model.trials) < 2:
        return
    axes = plots.axes_of(model, rows)
    names = list(dict.fromkeys(name for trial in model.trials for name in trial.readings))
    cells = [
        (
            marks.text(trial.recipe),
            *(
                marks.text(words.value(trial.readings[name], trial.units[name]))
                if name in trial.readings
                else "-"
                for name in names
            ),
            marks.text(tried(trial)),
        )
        for trial in model.trials
    ]
    head = ("recipe", *names, "result")
    numbers = range(1, len(names) + 1)
    table = marks.table(head, cells, numbers=numbers, label="candidates")
    plot = plots.scatter(model, axes) if axes else ""
    yield marks.details(f"{len(model.trials)} candidates tried", plot + table)


def _trends(rows: Sequence[LimitRow], trends: Trends) -> Iterator[str]:
    parts = []
    for row in rows:
        found = trends.of(row.file, row.model, row.metric)
        values = [each.value for each in found if each.value is not None]
        if len(values) < 3:
            continue
        changes = trends.changes(found)
        title = f"{row.metric}: the last {len(values)} readings"
        levels = [words.value(value, row.unit) for value in (values[0], values[-1])]
        said = "; ".join(
            f"{100 * p.share:+.1f} % at {found[p.index].commit_id[:8] or 'no commit'}"
            for p in changes[-3:]
        )
        parts.append(
            f"<h3>{marks.text(row.metric)}</h3>{plots.trend(values, changes, row.unit, title)}"
            f'<p class="soft">{marks.text(" to ".join(levels))}'
            f"{marks.text(f'; changes: {said}' if said else '')}</p>"
        )
    if parts:
        yield marks.details("history", "".join(parts))


def _maps(model: ModelRow | None, device: FileRow | None, maps: Maps) -> Iterator[str]:
    """Of the artifact, and behind it of what it was made from."""
    if model is None:
        return
    before = model.source if model.source_sha256 != model.sha256 else ""
    for title, path in (("memory map", model.artifact), ("memory map before", before)):
        picture = maps.of(path, model.name, device) if path else ""
        if picture:
            note = '<p class="soft">edgebudget explain MODEL prints the same as a table</p>'
            label = f'class="map" role="region" tabindex="0" aria-label="{title}"'
            yield marks.details(title, f"<div {label}>{picture}</div>{note}")


def _environment(run: Run) -> Iterator[str]:
    yield "<h2>Environment</h2>"
    cells = [
        ("pytest-edgebudget", run.version),
        ("Python", platform.python_version()),
        ("system", f"{platform.system()} {platform.machine()}"),
        *((row.file, words.device(row)) for row in run.files),
        *((f"{row.name}, SHA-256", row.sha256) for row in run.models[:20]),
    ]
    rows = [(marks.text(name), marks.text(value)) for name, value in cells]
    yield marks.table(("what", "which"), rows, label="environment")
