"""The project's settings: ``[tool.edgebudget]`` of pyproject.toml."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.history_place import Place, place_of
from pytest_edgebudget.types import Unit
from pytest_edgebudget.units import parse

CACHE_FOLDER = ".edgebudget_cache"
CACHE_LIMIT = "2 GiB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Where the cache is and how large it may grow, in bytes.

    *history*: where readings are kept over time; None for nowhere. *cluster*: the
    address of a scheduler whose workers build and measure for searches; *workers*: so many
    processes of this machine do.
    """

    cache: Path
    cache_limit: int
    history: Place | None
    cluster: str = ""
    workers: int = 0


def read_settings(root: Path) -> Settings:
    """
    The settings of the project whose pyproject.toml lies in *root*.

    Raises `EdgeBudgetError` for an unknown key or a wrong value.
    """
    table = _table(root / "pyproject.toml")
    known = {"cache", "cache_limit", "cluster", "history", "workers"}
    for key in table.keys() - known:
        near = difflib.get_close_matches(key, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(sorted(known))}"
        raise EdgeBudgetError(f"pyproject.toml: [tool.edgebudget] has no key {key}", hint)
    try:
        limit = int(parse(str(table.get("cache_limit", CACHE_LIMIT)), Unit.BYTES))
    except ValueError as error:
        raise EdgeBudgetError(f"pyproject.toml: tool.edgebudget.cache_limit: {error}") from error
    return Settings(
        cache=root / str(table.get("cache", CACHE_FOLDER)),
        cache_limit=limit,
        history=place_of(table.get("history", True), root),
        cluster=_cluster(table),
        workers=check_workers(table.get("workers", 0), "pyproject.toml: tool.edgebudget.workers"),
    )


def _cluster(table: dict[str, Any]) -> str:
    address = table.get("cluster", "")
    if not address:
        return ""
    return check_cluster(str(address), "pyproject.toml: tool.edgebudget.cluster")


def check_cluster(address: str, where: str) -> str:
    """*address*, written at *where*. Raises `EdgeBudgetError` for what is none."""
    protocol, scheme, host = address.partition("://")
    if not (protocol and scheme and host):
        raise EdgeBudgetError(
            f"{where}: {address!r} is no address of a scheduler", "write tcp://host:8786"
        )
    return address


def check_workers(count: object, where: str) -> int:
    """*count* of processes, written at *where*. Raises `EdgeBudgetError` for what is none."""
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise EdgeBudgetError(
            f"{where}: {count!r} is no number of processes", "write 4; 0 is none beside this one"
        )
    return count


def _table(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EdgeBudgetError(f"{path.name}: not TOML: {error}") from error
    table = data.get("tool", {}).get("edgebudget", {})
    if not isinstance(table, dict):
        raise EdgeBudgetError("pyproject.toml: tool.edgebudget is not a table")
    return table
