"""
Keeps each reading of a run as soon as it is known.

A history that cannot be written is told of in a note, and changes no verdict.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from pytest_edgebudget import __version__
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.history.database import Damaged, Database
from pytest_edgebudget.history.git import GitFacts, git_facts
from pytest_edgebudget.history.opening import open_database, renew
from pytest_edgebudget.history.rows import HistoryRow, Origin, row_of
from pytest_edgebudget.history.spool import Spool
from pytest_edgebudget.history_place import Place
from pytest_edgebudget.report.base import LimitRow, ModelRow
from pytest_edgebudget.settings import read_settings


@dataclass(slots=True)
class Keeper:
    """
    The history of one run.

    Nothing is opened before the first reading.
    """

    notes: list[str] = field(default_factory=list)
    _place: Place | None = None
    _origin: Origin | None = None
    _database: Database | None = None
    _away: str = ""
    _spooled: int = 0
    _lost: str = ""

    def add(self, root: Path, limit: LimitRow | None, model: ModelRow | None) -> None:
        """Keep a limit's reading, if there is one, where the settings of *root* say."""
        if limit is None or limit.after is None:
            return
        if self._origin is None:
            self._place = read_settings(root).history
            git = git_facts(root) if self._place else GitFacts()
            self._origin = Origin(run=uuid.uuid4().hex, tool=__version__, git=git)
        row = row_of(limit, model, self._origin, at=time.time())
        if self._place and row:
            self._keep(row, self._place, Spool(self._place.folder / "spool", self._origin.run))

    def _keep(self, row: HistoryRow, place: Place, spool: Spool) -> None:
        try:
            if not self._away:
                self._write(row, place, spool)
                return
        except EdgeBudgetError as error:  # the server's or the disk's: no verdict of ours
            self._away = error.message
            self.close()
        try:
            spool.add(row)
            self._spooled += 1
        except OSError as error:
            self._lost = str(error.strerror or error)

    def _write(self, row: HistoryRow, place: Place, spool: Spool) -> None:
        if self._database is None:
            self._database = open_database(place, self.notes.append)
            if count := spool.deliver(self._database):
                self.notes.append(f"history: delivered {count} readings that had waited")
        try:
            self._database.add([row])
        except Damaged as error:
            self.close()
            renew(place, error, self.notes.append)
            self._database = open_database(place, self.notes.append)
            self._database.add([row])

    def _release(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def close(self) -> None:
        """Let go of the database."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def told(self) -> list[str]:
        """What a user must know at the end of a run, a line each."""
        self.close()
        if self._lost:
            self.notes.append(f"history: readings of this run were not kept: {self._away}")
        elif self._spooled and self._place:
            self.notes.append(
                f"history: {self._away}; {self._spooled} readings wait in "
                f"{self._place.folder / 'spool'} for the next run"
            )
        said, self.notes = self.notes, []
        self._spooled, self._lost = 0, ""
        return said
