"""``edgebudget history``: look at readings, import them, prune them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.compare.load import read_report
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.history import formats
from pytest_edgebudget.history.database import Database, Query
from pytest_edgebudget.history.git import GitFacts
from pytest_edgebudget.history.opening import open_database
from pytest_edgebudget.history.rows import Origin, row_of
from pytest_edgebudget.history.series import Series, series_of
from pytest_edgebudget.history.spool import Spool
from pytest_edgebudget.settings import read_settings
from pytest_edgebudget.types import Unit
from pytest_edgebudget.units import parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The words of the command line; see `run`. *plot* draws what was found."""

    words: Sequence[str]
    fmt: str = "text"
    branch: str = ""
    commit: str = ""
    older_than: str = ""
    plot: Callable[[Sequence[Series]], None] | None = None


def run(asked: Asked, root: Path, say: Callable[[str], None]) -> str:
    """
    Do what the words ask for: ``[MODEL] [METRIC]``, ``import REPORT.json...`` or ``prune``.

    Raises `EdgeBudgetError` for words that mean nothing, a history that is off
    or cannot be reached, and a file that is no report.
    """
    verb, *rest = [*asked.words, ""]
    with _opened(root, say) as database:
        if verb == "import":
            return _import([Path(word) for word in rest if word], asked, database)
        if verb == "prune":
            return _prune(asked.older_than, database)
        return _show(asked, database)


def _show(asked: Asked, database: Database) -> str:
    model, metric, *more = [*asked.words, "", ""]
    if any(more):
        raise EdgeBudgetError(f"history: {' '.join(asked.words)}: write [MODEL] [METRIC]")
    found = series_of(database.rows(Query(model=model, metric=metric, branch=asked.branch)))
    if not found and model:
        raise EdgeBudgetError(
            f"history: there is no reading of {model}{f', {metric}' if metric else ''}",
            "edgebudget history lists what there is",
        )
    if asked.plot:
        asked.plot(found)
    if asked.fmt == "json":
        return formats.as_json(found)
    if asked.fmt == "csv":
        return formats.as_csv(found)
    return formats.as_text(found, detailed=bool(model and metric))


def _import(paths: Sequence[Path], asked: Asked, database: Database) -> str:
    """Readings of other machines' runs: twice the same report counts once."""
    if not paths:
        raise EdgeBudgetError("history import: name a report", "--edge-budget-report json:PATH")
    lines = []
    for path in paths:
        run = read_report(path)
        origin = Origin(
            run=hashlib.sha256(path.read_bytes() + asked.commit.encode()).hexdigest()[:32],
            tool=run.version,
            git=GitFacts(asked.commit, asked.branch),
        )
        at = path.stat().st_mtime
        made = [
            row_of(limit, run.model(limit.file, limit.model), origin, at=at, identity=origin.run)
            for limit in run.limits
        ]
        rows = [row for row in made if row is not None]
        database.add(rows)
        lines.append(f"{path}: {len(rows)} readings")
    return "\n".join(lines) + "\n"


def _prune(older_than: str, database: Database) -> str:
    if not older_than:
        raise EdgeBudgetError("history prune: say what may go", '--older-than "90 d"')
    try:
        age = parse(older_than, Unit.SECONDS)
    except ValueError as error:
        raise EdgeBudgetError(f"--older-than {error}") from error
    return f"removed {database.prune(time.time() - age)} readings\n"


@contextmanager
def _opened(root: Path, say: Callable[[str], None]) -> Iterator[Database]:
    place = read_settings(root).history
    if place is None:
        raise EdgeBudgetError(
            "this project keeps no history",
            "pyproject.toml: [tool.edgebudget] history = true, a path or an address",
        )
    database = open_database(place, say)
    try:
        Spool(place.folder / "spool", "").deliver(database)
        yield database
    finally:
        database.close()
