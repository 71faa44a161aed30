"""The budget files of a folder, told from the other TOML files there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pytest_edgebudget.budget.load import read_bytes

FOLDER = "budgets"
"""In a folder of this name every TOML file is meant to be a budget."""

_KEYS = frozenset({"models", "groups", "extends"})
_DEVICE = frozenset({"profile", "run", "runtime"})
_STRANGERS = frozenset({"pyproject.toml", "Cargo.toml"})
_HEADER = re.compile(
    r"^[ \t]*\[[ \t]*(?:(?:models|groups|device)[ \t]*(?:[.\]]|$)|[^\]\n]*\.[ \t]*budget\b)", re.M
)
_EXTENDS = re.compile(r"^[ \t]*extends[ \t]*=(.*)", re.M)
_TABLE = re.compile(r"^[ \t]*\[", re.M)


class Kind(StrEnum):
    """What a TOML file is to us."""

    BUDGET = "a budget"
    BASE = "a base: without limits, and a budget file beside it extends it"
    PROFILE = "a device profile"
    DAMAGED = "no TOML, or not to be read, and nothing tells that it is a budget"
    OTHER = "something else"


def budget_files(folder: Path) -> list[Path]:
    """
    The ``*.toml`` of *folder* that hold budgets, for a run that names the folder.

    Left out are bases, profiles and what is something else. A file that cannot
    be read stays, and so does one that only looks like a budget: its reader
    says what is wrong.
    """
    kept = (Kind.BUDGET, Kind.DAMAGED)
    return [path for path, kind in kinds(folder).items() if kind in kept]


def kinds(folder: Path) -> dict[Path, Kind]:
    """What each ``*.toml`` of *folder* is, by its resolved path."""
    files = {path.resolve(): _read(path.resolve()) for path in sorted(folder.glob("*.toml"))}
    found = {path: _kind(file) for path, file in files.items()}
    for base in _bases({path: file for path, file in files.items() if found[path] is Kind.BUDGET}):
        found[base] = Kind.BASE
    return found


def extenders(path: Path) -> set[Path]:
    """The ``*.toml`` beside *path* that extend it."""
    whole = path.resolve()
    others = [other.resolve() for other in path.parent.glob("*.toml")]
    return {other for other in others if whole in _read(other).extends}


def looks_like_a_budget(content: bytes) -> bool:
    """Whether the text of a TOML file, damaged or not, has a table that only budgets have."""
    text = _text(content)
    return bool(_HEADER.search(text) or _EXTENDS.search(_head(text)))


@dataclass(frozen=True, slots=True)
class _File:
    """A TOML file as far as it can be read: *table* is None when it is no TOML."""

    path: Path
    content: bytes
    table: dict[str, Any] | None

    @property
    def extends(self) -> frozenset[Path]:
        """The files that it names, also where the rest of it is damaged."""
        if self.table is not None:
            return frozenset(_named(self.path, self.table.get("extends", [])))
        lines = _EXTENDS.findall(_head(_text(self.content)))
        names = [name for line in lines for name in re.findall(r"[\"']([^\"']+)[\"']", line)]
        return frozenset(_named(self.path, names))


def _kind(file: _File) -> Kind:
    table = file.table
    if table is not None and _ours(table):
        return Kind.BUDGET
    if table is not None and "runtimes" in table:
        return Kind.PROFILE
    if table is None and looks_like_a_budget(file.content):
        return Kind.BUDGET
    if file.path.name in _STRANGERS or file.path.name.startswith("."):
        return Kind.OTHER
    if file.path.parent.name == FOLDER:
        return Kind.BUDGET
    return Kind.OTHER if table is not None else Kind.DAMAGED


def _ours(table: Mapping[str, Any]) -> bool:
    """Whether a table of this file is one that only budgets have, or nearly so: ``[model.a]``."""
    if _KEYS & table.keys():
        return True
    device = table.get("device")
    if isinstance(device, dict) and _DEVICE & device.keys():
        return True
    return any(_limits(part) for part in table.values())


def _bases(files: Mapping[Path, _File]) -> Iterator[Path]:
    """
    Files without any limit that another budget extends, such as a ``models.toml``.

    Only those that such a budget gets to: files that extend each other in a
    circle are looked at, or nobody would say so.
    """
    named = {path: file.extends - {path} for path, file in files.items()}
    below = set().union(*named.values())
    seen = {path for path, file in files.items() if path not in below or _limited(file)}
    tops, new = frozenset(seen), list(seen)
    while new:
        found = (named.get(new.pop(), frozenset()) & files.keys()) - seen
        seen |= found
        new += found
    yield from seen - tops


def _limited(file: _File) -> bool:
    parts = (file.table or {}).get("models", {}), (file.table or {}).get("groups", {})
    return file.table is None or any(_limits(part) for part in parts)


def _limits(parts: object) -> bool:
    """Whether one of these tables has a table of limits."""
    values = parts.values() if isinstance(parts, dict) else ()
    return any(isinstance(part, dict) and part.get("budget") for part in values)


def _named(path: Path, names: object) -> Iterable[Path]:
    for name in names if isinstance(names, list) else [names]:
        if isinstance(name, str) and "\0" not in name:
            yield (path.parent / name).resolve()


def _read(path: Path) -> _File:
    try:
        content = read_bytes(path)
    except (OSError, ValueError):
        return _File(path, b"", None)
    try:
        return _File(path, content, tomllib.loads(content.decode("utf-8-sig")))
    except (ValueError, RecursionError):
        return _File(path, content, None)


def _text(content: bytes) -> str:
    """Good enough to find a table in, whatever the encoding: UTF-16 has a zero in each letter."""
    return content.replace(b"\0", b"").decode("latin-1").replace("\r", "\n")


def _head(text: str) -> str:
    """What comes before the first table."""
    table = _TABLE.search(text)
    return text[: table.start()] if table else text
