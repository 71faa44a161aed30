"""
The statements, which SQLite and PostgreSQL both understand, and the schema's versions.

A list of statements brings the schema from one version to the next, and a
database is never written by a program that does not know its version.
"""

from __future__ import annotations

from pytest_edgebudget.history.rows import COLUMNS

_TYPES = {"at": "DOUBLE PRECISION", "value": "DOUBLE PRECISION", "low": "DOUBLE PRECISION",
          "high": "DOUBLE PRECISION", "dirty": "INTEGER", "noisy": "INTEGER"}  # fmt: skip
_NULL = ("value", "low", "high")


def _column(name: str) -> str:
    if name == "id":
        return "id TEXT NOT NULL UNIQUE"
    return f"{name} {_TYPES.get(name, 'TEXT')}{'' if name in _NULL else ' NOT NULL'}"


META = "CREATE TABLE IF NOT EXISTS edgebudget_meta (version INTEGER NOT NULL)"
VERSION = "SELECT version FROM edgebudget_meta"
CLEAR_VERSION = "DELETE FROM edgebudget_meta"
SET_VERSION = "INSERT INTO edgebudget_meta (version) VALUES (:version)"

MIGRATIONS: list[tuple[str, ...]] = [
    (
        "CREATE TABLE edgebudget_reading ({sequence}, " + ", ".join(map(_column, COLUMNS)) + ")",
        "CREATE INDEX edgebudget_reading_limit ON edgebudget_reading (file, model, metric)",
    ),
]
"""Item *n* brings version *n* to version *n* + 1; "{sequence}" is the database's own counter."""

INSERT = (
    f"INSERT INTO edgebudget_reading ({', '.join(COLUMNS)}) "  # noqa: S608 names of ours
    f"VALUES ({', '.join(f':{name}' for name in COLUMNS)}) ON CONFLICT (id) DO NOTHING"
)
SELECT = (
    f"SELECT {', '.join(COLUMNS)} FROM edgebudget_reading "  # noqa: S608 names of ours
    "WHERE (:model = '' OR model = :model) AND (:metric = '' OR metric = :metric) "
    "AND (:branch = '' OR branch = :branch) ORDER BY sequence"
)
"""In the order of arrival: a clock that went backwards changes nothing."""

PRUNE = "DELETE FROM edgebudget_reading WHERE at < :before"
