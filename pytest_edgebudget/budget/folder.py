"""The budget files of a folder."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_edgebudget.budget.load import read_bytes

BUDGET_KEYS = frozenset({"models", "groups", "extends"})


def budget_files(folder: Path) -> list[Path]:
    """
    The ``*.toml`` of *folder* that hold budgets.

    Others are left out: profiles, a pyproject.toml, and bases: files without
    any limit that another file there extends, such as a ``models.toml``. A
    file that cannot be read stays: its reader says why.
    """
    tables = {path.resolve(): _table(path) for path in sorted(folder.glob("*.toml"))}
    bases = {base for path, table in tables.items() for base in _extended(path, table or {})}
    return [path for path, table in tables.items() if _is_budget(table, base=path in bases)]


def extenders(path: Path) -> set[Path]:
    """The ``*.toml`` beside *path* that extend it."""
    whole = path.resolve()
    others = [other.resolve() for other in path.parent.glob("*.toml")]
    return {other for other in others if whole in _extended(other, _table(other) or {})}


def _is_budget(table: dict[str, Any] | None, *, base: bool) -> bool:
    if table is None:
        return True
    return bool(BUDGET_KEYS & table.keys()) and (not base or _limits(table))


def _table(path: Path) -> dict[str, Any] | None:
    try:
        return tomllib.loads(read_bytes(path).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def _extended(path: Path, table: dict[str, Any]) -> Iterator[Path]:
    extends = table.get("extends", [])
    for name in extends if isinstance(extends, list) else [extends]:
        if isinstance(name, str):
            yield (path.parent / name).resolve()


def _limits(table: dict[str, Any]) -> bool:
    parts = [table.get(kind, {}) for kind in ("models", "groups")]
    return any(
        isinstance(part, dict) and part.get("budget")
        for kind in parts
        if isinstance(kind, dict)
        for part in kind.values()
    )
