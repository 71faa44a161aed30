"""What comments in budget files say about findings; `comments` reads them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_edgebudget.budget.positions import KeyPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """
    One comment in the budget file *file*.

    *scope* is the table that it is about: ``("models", "digits")``; empty for
    the whole file. *alone*: it has a line of its own. *wrong*: the comment, when
    it is not of the form that is known.
    """

    file: Path
    line: int
    codes: tuple[str, ...] = ()
    reason: str = ""
    scope: KeyPath = ()
    alone: bool = False
    wrong: str = ""

    def names(self, code: str) -> bool:
        """Whether it ignores the rule with this code."""
        return any(code.startswith(each) for each in self.codes)

    def model(self, name: str) -> bool:
        """Whether it is about the model of that name."""
        return self.scope == ("models", name) or (self.alone and not self.scope)


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """The comments of one file, and which table each line belongs to."""

    file: Path
    ignores: tuple[Ignore, ...] = ()
    tables: tuple[tuple[int, KeyPath], ...] = ()

    def about(self, line: int) -> list[Ignore]:
        """The comments about what is found at a line; 0 is the whole file."""
        scope = table_at(self.tables, line)
        return [each for each in self.ignores if _covers(each, line, scope)]


@dataclass(frozen=True, slots=True)
class BadIgnores:
    """What the rule about comments looks at: *ignores*, and the codes that exist."""

    ignores: tuple[Ignore, ...]
    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnusedIgnores:
    """Codes of comments that ignored nothing in this run."""

    codes: tuple[tuple[Ignore, str], ...]


def table_at(tables: Sequence[tuple[int, KeyPath]], line: int) -> KeyPath:
    """The table that a line belongs to; empty before the first."""
    index = bisect_right(tables, line, key=lambda start: start[0])
    return tables[index - 1][1] if index else ()


def _covers(ignore: Ignore, line: int, scope: KeyPath) -> bool:
    if not ignore.alone:
        return ignore.line == line
    return not ignore.scope or ignore.scope == scope
