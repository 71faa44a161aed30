"""What is not in the run's rows: the history, and the memory map of an artifact."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.history.change_points import ChangePoint, change_points
from pytest_edgebudget.history.database import Query
from pytest_edgebudget.history.opening import open_database
from pytest_edgebudget.history.rows import HistoryRow
from pytest_edgebudget.history.series import group_of
from pytest_edgebudget.report.base import FileRow
from pytest_edgebudget.settings import read_settings

SHOWN = 60  # readings of a trend
PATIENCE = 0.8  # seconds for all memory maps, and again for all changes


class Clock:
    """So many seconds for what is not worth more."""

    def __init__(self, seconds: float = PATIENCE) -> None:
        self._left = seconds

    def allows(self) -> bool:
        """Whether there is time left."""
        return self._left > 0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Count what is done inside."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._left -= time.perf_counter() - start


class Trends:
    """The history of a project, by limit; empty where there is none."""

    def __init__(self, root: str) -> None:
        self._rows: dict[tuple[str, str, str], list[HistoryRow]] = {}
        self._clock = Clock()
        for row in _history(root):
            self._rows.setdefault((row.file, row.model, row.metric), []).append(row)

    def of(self, file: str, model: str, metric: str) -> tuple[HistoryRow, ...]:
        """The last readings that may be compared with the latest."""
        rows = [row for row in self._rows.get((file, model, metric), []) if row.value is not None]
        same = [row for row in rows if group_of(row) == group_of(rows[-1])]
        return tuple(same[-SHOWN:])

    def changes(self, rows: Sequence[HistoryRow]) -> tuple[ChangePoint, ...]:
        """Where the level changed, as long as there is time to find out."""
        if not self._clock.allows():
            return ()
        with self._clock.running():
            values = [row.value for row in rows if row.value is not None]
            return change_points(values, noisy=bool(rows[-1].noisy))


def _history(root: str) -> Sequence[HistoryRow]:
    """A report shows what there is: whatever is wrong with the history is told elsewhere."""
    with contextlib.suppress(EdgeBudgetError):
        place = read_settings(Path(root)).history
        if place is None or (place.path is not None and not place.path.exists()):
            return ()
        database = open_database(place, lambda text: None)
        try:
            return database.rows(Query())
        finally:
            database.close()
    return ()


class Maps:
    """Memory maps of artifacts, as long as there is time to draw them."""

    def __init__(self) -> None:
        self._clock = Clock()

    def of(self, model: str, name: str, file: FileRow | None) -> str:
        """The picture of the file *model* as SVG; empty where there is none."""
        path = Path(model)
        if not self._clock.allows() or path.suffix not in (".tflite", ".onnx"):
            return ""
        with self._clock.running(), contextlib.suppress(EdgeBudgetError, OSError):
            return _map(path, name, file.profile if file else "")
        return ""


def _map(path: Path, name: str, profile: str) -> str:
    from pytest_edgebudget.devices.profile import profile_named, profiles
    from pytest_edgebudget.explain.account import account
    from pytest_edgebudget.explain.picture import draw

    found = account(path, profile_named(profile) if profile in profiles() else None)
    # The cache names files by their hash, which tells a reader nothing.
    return draw(replace(found, path=Path(name + path.suffix))) if found.plan.live else ""
