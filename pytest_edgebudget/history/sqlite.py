"""Readings in a SQLite file, safe under concurrent jobs and a kill at any moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pytest_edgebudget.history import sql
from pytest_edgebudget.history.database import Away, Damaged, Query, too_new
from pytest_edgebudget.history.rows import COLUMNS, HistoryRow

WAIT = 30.0  # seconds for another job's write
SEQUENCE = "sequence INTEGER PRIMARY KEY AUTOINCREMENT"
BESIDE = ("", "-wal", "-shm")


class SqliteDatabase:
    """
    The file at *path*, made when it is not there.

    In WAL mode: readers and a writer do not wait for each other, and a reading
    that was added outlives the process. Raises `Damaged` and `Away`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None)
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._migrate()
            except BaseException:
                self._connection.close()
                raise

    def add(self, rows: Iterable[HistoryRow]) -> None:
        """Keep the rows, all or none."""
        with self._told(), self._writing():
            self._connection.executemany(sql.INSERT, [row.to_plain() for row in rows])

    def rows(self, query: Query) -> Sequence[HistoryRow]:
        """Readings in the order of their arrival."""
        asked = {"model": query.model, "metric": query.metric, "branch": query.branch}
        with self._told():
            found = self._connection.execute(sql.SELECT, asked).fetchall()
        return [HistoryRow(**dict(zip(COLUMNS, row, strict=True))) for row in found]

    def prune(self, before: float) -> int:
        """Remove readings from before that time; the file shrinks."""
        with self._told():
            with self._writing():
                count = self._connection.execute(sql.PRUNE, {"before": before}).rowcount
            self._connection.execute("VACUUM")
        return count

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _migrate(self) -> None:
        if self._version() == len(sql.MIGRATIONS):
            return
        with self._writing():  # another job may have done it meanwhile
            self._connection.execute(sql.META)
            version = self._version()
            if version > len(sql.MIGRATIONS):
                raise too_new(str(self._path), version, len(sql.MIGRATIONS))
            for statements in sql.MIGRATIONS[version:]:
                for statement in statements:
                    self._connection.execute(statement.format(sequence=SEQUENCE))
            self._connection.execute(sql.CLEAR_VERSION)
            self._connection.execute(sql.SET_VERSION, {"version": len(sql.MIGRATIONS)})

    def _version(self) -> int:
        there = "SELECT 1 FROM sqlite_master WHERE name = 'edgebudget_meta'"
        if self._connection.execute(there).fetchone() is None:
            return 0
        found = self._connection.execute(sql.VERSION).fetchone()
        return int(found[0]) if found else 0

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's errors as ours, by what can be done about them."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise Away(f"{self._path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise Damaged(f"{self._path}: {error}") from error


def set_aside(path: Path) -> Path | None:
    """
    Move a damaged database out of the way; returns its new place.

    None where another job has done it meanwhile. Nothing is ever deleted.
    """
    from filelock import FileLock

    with FileLock(path.with_name(path.name + ".lock")):
        if _whole(path):
            return None
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        kept = path.with_name(f"{path.name}.damaged-{now}")
        for suffix in BESIDE:
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.replace(kept.with_name(kept.name + suffix))
        return kept


def _whole(path: Path) -> bool:
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            return bool(connection.execute("PRAGMA quick_check").fetchone() == ("ok",))
        finally:
            connection.close()
    except sqlite3.OperationalError:  # it is gone, or busy: not damaged
        return True
    except sqlite3.DatabaseError:
        return False
