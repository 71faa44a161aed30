"""The text of a failed item: which limit, by how much, which layer, what next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_edgebudget.report import changed, words
from pytest_edgebudget.report.advice import advice, tried
from pytest_edgebudget.report.base import LimitRow, LintRow, ModelRow
from pytest_edgebudget.report.words import one_line as one_line

METRICS_SHOWN = 6


def broken_text(row: LimitRow, model: ModelRow | None) -> str:
    """The whole message of a limit that does not hold."""
    return "\n".join(_lines(row, model))


def lint_text(row: LintRow) -> str:
    """The whole message of a lint item with findings that fail."""
    lines = [f"{row.model}: lint: {words.findings(row)} in the artifact"]
    for finding in row.findings:
        lines.append(f"  {words.finding(finding)}")
        if finding.instead:
            lines.append(f"    {finding.instead}")
    code = row.findings[0].code
    return "\n".join(
        [
            *lines,
            "\nWhat next:",
            f"  - edgebudget explain {code} tells what it is, and what to do instead",
            f"  - if it is meant: # edgebudget: ignore {code} - REASON, in the model's table",
        ]
    )


def _lines(row: LimitRow, model: ModelRow | None) -> Iterator[str]:
    yield from _headline(row)
    yield from _context(row, model)
    yield from _layers(row)
    yield from _changed(row)
    if model and len(model.trials) > 1:
        yield from _trials(model)
    if model and model.infeasible:
        yield "\nNo candidate keeps every limit:"
        yield from (f"  {sentence}" for sentence in model.infeasible)
    fixes = list(advice(row, model))
    if fixes:
        yield "\nWhat would fix it:"
        yield from (f"  - {fix}" for fix in fixes)


def _headline(row: LimitRow) -> Iterator[str]:
    if row.outcome in ("unmeasured", "undecided"):
        yield f"{row.model}: {row.metric} is {row.outcome}: {row.reason or words.limit(row)}"
        if row.outcome == "undecided" and not row.reason:
            yield f"  {_inside(row)}"
        return
    for bound in row.bounds:
        if bound.outcome == "broken":
            yield f"{row.model}: {row.metric} is broken: {words.overrun(row, bound)}"
        elif bound.outcome == "unmeasured":
            yield f"{row.model}: {row.metric}: {bound.kind} is unmeasured: {bound.reason}"


def _inside(row: LimitRow) -> str:
    decided = words.deciding(row)
    if decided and decided.kind == "max_drop" and row.drop:
        return "the largest drop that is allowed lies inside the interval of the drop"
    return f"the limit lies inside the reading {words.reading(row.after, row.unit)}"


def _context(row: LimitRow, model: ModelRow | None) -> Iterator[str]:
    facts = [row.where or row.file]
    if model:
        chosen = len(model.trials) == 1 or any(trial.state == "chosen" for trial in model.trials)
        facts.append(f"{'recipe' if chosen else 'the closest candidate is'} {model.recipe}")
    if row.after:
        facts.append(f"evidence {row.after.evidence}")
    if row.before:
        facts.append(f"source model {words.reading(row.before, row.unit)}")
    yield "  " + ", ".join(facts)
    if row.note:
        yield f"  {row.note}"
    if dropped := words.drop(row):
        yield f"  {dropped}"


def _layers(row: LimitRow) -> Iterator[str]:
    if not row.layers:
        return
    other = f" ({row.metric} itself is not known by layer)" if row.layers_of != row.metric else ""
    yield f"\nWhere the {row.layers_of} is{other}:"
    yield from _columns(
        [
            [
                layer.name,
                layer.kind,
                words.value(layer.value, row.layers_unit),
                f"{100 * layer.value / row.layers_total:.0f} %" if row.layers_total else "",
            ]
            for layer in row.layers
        ]
    )


def _changed(row: LimitRow) -> Iterator[str]:
    if row.changed is None:
        return
    end = ":" if row.changed.pieces else ""
    yield f"\n{changed.headline(row.changed, row.metric)}{end}"
    if found := changed.pieces(row.changed):
        yield from _columns(found)
    if more := changed.more(row.changed):
        yield f"  ({more})"


def _trials(model: ModelRow) -> Iterator[str]:
    names = list(dict.fromkeys(name for trial in model.trials for name in trial.readings))
    names = names[:METRICS_SHOWN]
    split = f" (selected on the {model.selected_on} split)" if model.selected_on else ""
    yield f"\nCandidates tried{split}:"
    rows = [["", *names, ""]]
    for trial in model.trials:
        cells = [
            words.value(trial.readings[name], trial.units[name]) if name in trial.readings else "-"
            for name in names
        ]
        rows.append([trial.recipe, *cells, tried(trial)])
    yield from _columns(rows)


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()
