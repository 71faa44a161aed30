"""
Comments that ignore findings: ``# edgebudget: ignore EB203 - reason``.

Behind something, it is about that line; on a line of its own, about the table
that it stands in (or right above); before the first table, about the file. In
a model's table it holds for what is found in the model, too.
"""

from __future__ import annotations

import re
from pathlib import Path

from pytest_edgebudget.budget.positions import KeyPath, comments, headers, positions
from pytest_edgebudget.lint.ignores import Ignore, IgnoreFile, table_at

_COMMENT = re.compile(r"#+\s*edgebudget:\s*(.*)")
_CODES = r"(\w+(?:\s*,\s*\w+)*)"
_IGNORE = re.compile(rf"ignore\b:?\s*{_CODES}\s*(?:(?:[-:]+|\u2013|\u2014)\s*(.*))?")


def read_ignores(content: bytes, file: Path) -> IgnoreFile:
    """The comments of a budget file, which must be valid TOML."""
    if b"edgebudget:" not in content:
        return IgnoreFile(file)
    text = content.decode("utf-8-sig").replace("\r\n", "\n")
    lines, tables = text.split("\n"), tuple(_tables(text))
    starts = dict(headers(text))
    found = []
    for line, comment in comments(text):
        if match := _COMMENT.match(comment):
            alone = lines[line - 1].lstrip().startswith("#")
            scope = _scope(line, lines, starts, tables) if alone else table_at(tables, line)
            found.append(_ignore(match[1], file, line, scope=scope, alone=alone))
    return IgnoreFile(file, tuple(found), tables)


def _ignore(text: str, file: Path, line: int, *, scope: KeyPath, alone: bool) -> Ignore:
    match = _IGNORE.fullmatch(text.strip())
    if match is None or not match[1]:
        return Ignore(file=file, line=line, wrong=text.strip(), scope=scope, alone=alone)
    codes = tuple(re.findall(r"\w+", match[1].upper()))
    reason = (match[2] or "").strip()
    return Ignore(file=file, line=line, codes=codes, reason=reason, scope=scope, alone=alone)


def _tables(text: str) -> list[tuple[int, KeyPath]]:
    """The lines on which what belongs to another table begins, in order."""
    found: list[tuple[int, KeyPath]] = []
    for path, line in sorted(positions(text).items(), key=lambda item: (item[1], len(item[0]))):
        scope = _table(path)
        if scope and (not found or found[-1][1] != scope):
            if found and found[-1][0] == line:
                found.pop()  # a header is of its own table, not of the one around it
            found.append((line, scope))
    return found


def _table(path: KeyPath) -> KeyPath:
    """The part of a budget that a key belongs to: a model, a group, the device."""
    if not path or path[0] == "extends":
        return ()
    return path[:2] if path[0] in ("models", "groups") else path[:1]


def _scope(
    line: int, lines: list[str], starts: dict[int, KeyPath], tables: tuple[tuple[int, KeyPath], ...]
) -> KeyPath:
    """A comment right above a header is about that table, as people write them."""
    if not table_at(tables, line):
        return ()
    below = line + 1
    while below <= len(lines) and lines[below - 1].lstrip().startswith("#"):
        below += 1
    return _table(starts[below]) if below in starts else table_at(tables, line)
