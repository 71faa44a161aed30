"""Where a project keeps its history: a file, a server, or nowhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pytest_edgebudget.errors import EdgeBudgetError

FOLDER = ".edgebudget_history"
FILE = "history.sqlite"
SCHEMES = ("postgresql", "postgresql+psycopg")
VARIABLE = "EDGEBUDGET_HISTORY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    The history of a project.

    *path* is the SQLite file, None where there is a server; *url* is the
    server's; *folder* is where readings wait for it.
    """

    folder: Path
    path: Path | None = None
    url: str = ""


def place_of(
    written: object, root: Path, environment: Mapping[str, str] = os.environ
) -> Place | None:
    """
    The place that ``history`` in pyproject.toml means; None for ``false``.

    The environment's EDGEBUDGET_HISTORY goes before it: a path, an address, or
    "off". Raises `EdgeBudgetError` for an address of a server that has none,
    and for a password in a file that everybody reads.
    """
    told = environment.get(VARIABLE, "")
    value = told or written
    if value in (False, "off", "false"):
        return None
    if value is True or value == "":
        return Place(folder=root / FOLDER, path=root / FOLDER / FILE)
    if not isinstance(value, str):
        raise EdgeBudgetError(
            "pyproject.toml: tool.edgebudget.history must be a path, an address, true or false"
        )
    if "://" in value:
        check_url(value, secret=bool(told))
        return Place(folder=root / FOLDER, url=value)
    return Place(folder=(root / value).parent, path=root / value)


def shown(url: str) -> str:
    """An address as messages show it: nobody's name, and no password."""
    parts = urlsplit(url)
    place = parts.hostname or ""
    return f"{parts.scheme}://{place}{f':{parts.port}' if parts.port else ''}{parts.path}"


def check_url(url: str, *, secret: bool) -> None:
    """
    Whether an address of a server may stand where it was written.

    Raises `EdgeBudgetError` for another kind of server, and for a password
    unless *secret*: the place is one that only this machine reads.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise EdgeBudgetError(f"the history's address cannot be read: {error}") from None
    if parts.scheme not in SCHEMES:
        raise EdgeBudgetError(
            f"the history cannot be kept in {parts.scheme}://",
            "write a path of a SQLite file, or postgresql+psycopg://user@host/database",
        )
    if parts.password and not secret:
        raise EdgeBudgetError(
            f"pyproject.toml: tool.edgebudget.history holds a password for {shown(url)}",
            "keep it in PGPASSWORD or a pgpass file, and the whole address in EDGEBUDGET_HISTORY",
        )
