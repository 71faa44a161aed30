"""What goes when the cache is full: the least recently used."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.store.files import PART as PART
from pytest_edgebudget.store.files import remove

GRACE = 3600.0
"""Seconds since the last use within which nothing goes: a run may be at work on it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file (with what lies beside it) or a record: *size* in bytes, *used* in seconds."""

    path: Path
    size: int
    used: float


def entries(folder: Path) -> list[Entry]:
    """All files and records below *folder*, without those still being written."""
    return [entry for entry in _walk(folder) if not entry.path.name.startswith(PART)]


def shrink(folder: Path, limit: int) -> None:
    """Remove least recently used entries until *limit* bytes remain, and old leftovers."""
    now = time.time()
    found = list(_walk(folder))
    old = sorted((e for e in found if now - e.used > GRACE), key=lambda e: (e.used, e.path))
    total = sum(entry.size for entry in found)
    for entry in old:
        if total > limit or entry.path.name.startswith(PART):
            remove(entry.path)
            total -= entry.size


def _walk(folder: Path) -> Iterator[Entry]:
    paths = [*(folder / "objects").glob("*"), *(folder / "objects").glob("*/*")]
    paths += [*(folder / "records").glob("*/*"), *(folder / "checkpoints").glob("*")]
    for path in paths:
        # Others may remove what we are looking at.
        with suppress(FileNotFoundError):
            if path.is_file():
                status = path.stat()
                yield Entry(path, status.st_size, status.st_mtime)
            elif path.parent.name != "objects" or path.name.startswith(PART):
                yield _folder(path)


def _folder(path: Path) -> Entry:
    files = [file.stat() for file in path.rglob("*") if file.is_file()]
    used = max((status.st_mtime for status in files), default=path.stat().st_mtime)
    return Entry(path, sum(status.st_size for status in files), used)
