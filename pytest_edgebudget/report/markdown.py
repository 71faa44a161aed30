"""The Markdown report: for a pull request's comment or a job's summary."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.report import changed, words
from pytest_edgebudget.report.advice import advice, tried
from pytest_edgebudget.report.base import LimitRow, ModelRow, Report, Run

SIGNS = {"kept": "kept", "broken": "**broken**", "unmeasured": "**unmeasured**"}


def render(run: Run) -> str:
    """A table a budget file, then what is wrong, then what was tried."""
    return "\n".join(_lines(run)).rstrip() + "\n"


def _lines(run: Run) -> Iterator[str]:
    broken = sum(row.fails for row in run.limits)
    errors = f", {len(run.errors)} not judged" if run.errors else ""
    failing = sum(row.fails for row in run.lints)
    lints = f", the linter fails {failing} of {len(run.lints)} models" if failing else ""
    yield f"## Edge budgets: {len(run.limits)} limits, {broken} not kept{lints}{errors}\n"
    for file in run.files:
        yield f"### {_text(file.file)}: {_text(words.device(file))}\n"
        yield "| model | metric | before | after | limit | headroom | evidence | verdict |"
        yield "|---|---|--:|--:|---|--:|---|---|"
        for row in run.limits:
            if row.file == file.file:
                yield _row(run, row)
        yield ""
        yield from _estimates(run, file.file)
        yield from _lints(run, file.file)
    for row in run.limits:
        if row.fails:
            yield from _broken(run, row)
    for model in run.models:
        if len(model.trials) > 1:
            yield from _trials(model)
    for error in run.errors:
        yield f"- **error** {_text(error.id)}: {_text(error.message.strip().splitlines()[0])}"


def _estimates(run: Run, file: str) -> Iterator[str]:
    """What is behind readings of a device that was not there, and what was compared."""
    limits = [row for row in run.limits if row.file == file]
    tell = (words.estimate, words.against, words.drop)
    rows = [(row, told) for row in limits for each in tell if (told := each(row))]
    for row, told in rows:
        yield f"- {_text(f'{row.model}: {row.metric}')}: {_text(told)}"
    if rows:
        yield ""


def _lints(run: Run, file: str) -> Iterator[str]:
    rows = [row for row in run.lints if row.file == file and row.findings]
    for row in rows:
        sign = SIGNS.get(row.status, row.status)
        yield f"- {_text(row.model)}: lint {sign}: {words.findings(row)}"
        yield from (f"  - {_text(line)}" for line in words.told(row))
    if rows:
        yield ""


def _row(run: Run, row: LimitRow) -> str:
    model = run.model(row.file, row.model)
    cells = [
        f"{row.model}: {model.recipe}" if model else row.model,
        row.metric,
        words.reading(row.before, row.unit),
        words.reading(row.after, row.unit),
        words.limit(row),
        words.headroom(row),
        row.after.evidence if row.after else "-",
    ]
    sign = SIGNS.get(row.status, row.status) + (f": {_text(row.waiver)}" if row.waiver else "")
    return "| " + " | ".join([*map(_text, cells), sign]) + " |"


def _broken(run: Run, row: LimitRow) -> Iterator[str]:
    yield f"**{_text(words.one_line(row))}**\n"
    if row.changed:
        yield f"{_text(changed.headline(row.changed, row.metric))}\n"
        yield from (f"- {_text(_piece(cells))}" for cells in changed.pieces(row.changed))
        yield ""
    yield from (f"- {_text(fix)}" for fix in advice(row, run.model(row.file, row.model)))
    yield ""


def _piece(cells: list[str]) -> str:
    """``conv2 (CONV_2D), 16x3x3x8 -> 32x3x3x8: +4.50 KiB``."""
    name, kind, what, part = cells
    return f"{name}{f' ({kind})' if kind else ''}{f', {what}' if what else ''}: {part}"


def _trials(model: ModelRow) -> Iterator[str]:
    names = list(dict.fromkeys(name for trial in model.trials for name in trial.readings))
    yield f"<details><summary>{_text(model.name)}: candidates tried</summary>\n"
    yield "| recipe | " + " | ".join([*map(_text, names), "result"]) + " |"
    yield "|---|" + "--:|" * len(names) + "---|"
    for trial in model.trials:
        cells = [
            words.value(trial.readings[name], trial.units[name]) if name in trial.readings else "-"
            for name in names
        ]
        yield "| " + " | ".join(map(_text, [trial.recipe, *cells, tried(trial)])) + " |"
    yield "\n</details>\n"


def _text(text: str) -> str:
    """Text that stays in its cell and is not taken for markup."""
    for character in "\\|<>*_`[]":
        text = text.replace(character, f"\\{character}")
    return text.replace("\n", " ")


REPORT = Report(name="markdown", render=render)
