"""Readings that wait on disk until their database can be reached again."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from pytest_edgebudget.history.database import Database
from pytest_edgebudget.history.rows import HistoryRow

SUFFIX = ".jsonl"


class Spool:
    """
    A file a run in *folder*, a line a reading.

    Delivering twice does no harm, since readings have ids: a file is removed
    only after the database has what is in it.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self._folder = folder
        self._file = folder / f"{run}{SUFFIX}"

    def add(self, row: HistoryRow) -> None:
        """Keep one reading. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._alone(), self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row.to_plain()) + "\n")

    def deliver(self, database: Database) -> int:
        """
        Hand everything that waits to *database*; returns how many readings.

        Raises `Away` when the database goes away meanwhile. A line that a kill
        cut off is left out.
        """
        if not any(self._folder.glob(f"*{SUFFIX}")):
            return 0
        count = 0
        with self._alone():  # what is written meanwhile would go with the file
            for path in sorted(self._folder.glob(f"*{SUFFIX}")):
                rows = list(_rows(path))
                database.add(rows)
                count += len(rows)
                path.unlink()
        return count

    def _alone(self) -> AbstractContextManager[object]:
        from filelock import FileLock

        return FileLock(self._folder / ".lock")


def _rows(path: Path) -> Iterator[HistoryRow]:
    for line in path.read_text("utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            yield HistoryRow.from_plain(json.loads(line))
