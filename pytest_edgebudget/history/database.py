"""What a database of readings is, whichever keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.history.rows import HistoryRow


class Away(EdgeBudgetError):
    """The database cannot be reached, or must not be written: readings are spooled."""


class Damaged(EdgeBudgetError):
    """The file is no database, or a broken one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which readings are asked for; "" is all."""

    model: str = ""
    metric: str = ""
    branch: str = ""


class Database(Protocol):
    """Every method raises `Away` when the database cannot do it now."""

    def add(self, rows: Iterable[HistoryRow]) -> None:
        """Keep the rows, all or none; those that are there already are left as they are."""

    def rows(self, query: Query) -> Sequence[HistoryRow]:
        """Readings in the order of their arrival."""

    def prune(self, before: float) -> int:
        """Remove readings from before that time; returns how many."""

    def close(self) -> None:
        """Let go of it."""


def too_new(what: str, version: int, known: int) -> Away:
    """The error for a database that a later version wrote."""
    return Away(
        f"{what} is of version {version}, this program knows version {known}: it is left alone",
        "update pytest-edgebudget",
    )
