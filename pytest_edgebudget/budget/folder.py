"""The budget files of a folder."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def budget_files(folder: Path) -> list[Path]:
    """
    All ``*.toml`` of *folder*, less those that only serve to be extended.

    A file without any limit that another file there extends is a base, such as
    a ``models.toml``. A file that cannot be read stays: its reader says why.
    """
    tables = {path.resolve(): _table(path) for path in sorted(folder.glob("*.toml"))}
    bases = {base for path, table in tables.items() for base in _extended(path, table)}
    return [path for path, table in tables.items() if path not in bases or _limits(table)]


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def _extended(path: Path, table: dict[str, Any]) -> Iterator[Path]:
    extends = table.get("extends", [])
    for name in [extends] if isinstance(extends, str) else extends:
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
