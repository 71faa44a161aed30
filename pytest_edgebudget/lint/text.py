"""Findings for people: one line each, with what to do below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from pytest_edgebudget.lint.base import Severity
from pytest_edgebudget.lint.result import FileResult, LintRun, Reported
from pytest_edgebudget.texts import printable

SHOWN = 3
"""Findings of one rule in one model; the others are counted."""

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}


def render(run: LintRun, *, colour: bool = False) -> str:
    """The whole output; with *colour*, for a terminal."""
    lines = [line for file in run.files for line in _file(file, colour=colour)]
    lines += [f"internal error: {printable(crash)}" for crash in run.crashes]
    return "\n".join([*lines, *_skipped(run.files), summary(run)]) + "\n"


def summary(run: LintRun) -> str:
    """The last line: how much was found."""
    files = len({each.path for each in run.found})
    looked = f"{_count(run.checked, 'file')} checked"
    if not run.found:
        return f"Nothing found, {looked}"
    parts = [_count(n, word) for word in Severity if (n := run.count(word))]
    total = f"{_count(len(run.found), 'finding')} in {_count(files, 'file')}"
    return f"{total}: {', '.join(parts)}; {looked}"


def _file(file: FileResult, *, colour: bool) -> Iterator[str]:
    for _, group in groupby(file.found, key=lambda each: (each.code, each.line)):
        yield from _rule(list(group), colour=colour)


def _rule(found: Sequence[Reported], *, colour: bool) -> Iterator[str]:
    """All findings of a rule at one place: the first few, and what to do once."""
    first = found[: SHOWN if len(found) > SHOWN + 1 else SHOWN + 1]
    for index, each in enumerate(first):
        yield _line(each, colour=colour)
        following = first[index + 1].instead if index + 1 < len(first) else None
        if each.instead and each.instead != following:
            yield f"    {_paint('instead', '2', colour=colour)}: {each.instead}"
    if len(found) > len(first):
        yield f"    and {len(found) - len(first)} more of {found[0].code}"


def _line(each: Reported, *, colour: bool) -> str:
    path = printable(str(each.path))
    place = f"{path}:{each.line}" if each.line else path
    code = _paint(each.code, f"1;{_COLOURS[each.severity]}", colour=colour)
    where = f"{each.where}: " if each.where else ""
    devices = f" (on {', '.join(each.devices)})" if each.devices else ""
    place = _paint(place, "1", colour=colour)
    return f"{place}: {code} {each.severity}: {where}{each.message}{devices}"


def _skipped(files: Sequence[FileResult]) -> Iterator[str]:
    for file in files:
        if file.skipped:
            yield f"{printable(str(file.path))}: {file.skipped}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _paint(text: str, code: str, *, colour: bool) -> str:
    return f"\033[{code}m{text}\033[0m" if colour else text
