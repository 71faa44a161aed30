"""From the paths of the command line to models and budget files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.paths import is_folder

MODELS = frozenset({".tflite", ".onnx"})
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})
_WORDS = (b"models", b"groups", b"extends", b"device", b"budget")
_LARGEST = 1 << 20  # bytes: `budget.load` reads no more
_PROFILE = "not looked at: a device profile, not a budget file"


@dataclass(frozen=True, slots=True)
class Input:
    """
    One file to look at: its absolute *path*, and whether it is a *budget* file.

    *skipped*: why it is not to be looked at, but to be named. *closed*: why
    this folder cannot be looked into.
    """

    path: Path
    budget: bool = False
    skipped: str = ""
    closed: str = ""


def inputs(paths: list[Path]) -> list[Input]:
    """
    The files that *paths* name, each once, in the order given.

    A folder stands for the models and budget files in it and below it, by
    name; a base without limits of its own for the budget files beside it that
    extend it. A folder without any, and a path that is not there, stay as they
    are: whoever reads them says what is wrong. Each path yields an input.
    """
    found: dict[Path, Input] = {}
    for path in paths:
        whole = absolute(path)
        for each in _folder(whole) if is_folder(whole) else _file(whole):
            found.setdefault(each.path, each)
    return list(found.values())


def absolute(path: Path) -> Path:
    """*path* from the root and without ``..``; links are kept, as they were given."""
    return Path(os.path.normpath(path.absolute()))


def shown(path: Path) -> Path:
    """*path* as people are told it: from the current folder, where it is below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _file(path: Path) -> list[Input]:
    if path.suffix.lower() != ".toml":
        return [Input(path)]
    found = _over(path, frozenset()) if _is_base(path) else []
    return [Input(each, budget=True) for each in found or [path]]


def _over(base: Path, below: frozenset[Path]) -> list[Path]:
    """The budget files beside *base* that extend it, or a base that extends it."""
    from pytest_edgebudget.budget.folder import extenders

    found: list[Path] = []
    for path in sorted(extenders(base) - below):
        found += _over(path, below | {base}) if _is_base(path) else [path]
    return found


def _is_base(path: Path) -> bool:
    """Whether the file has no limits of its own and a budget file beside it extends it."""
    if not _mentions(path, _WORDS):
        return False
    from pytest_edgebudget.budget.folder import Kind, kinds

    return kinds(path.parent).get(path.resolve()) is Kind.BASE


def _folder(folder: Path) -> Iterator[Input]:
    empty = True
    closed: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not _hidden(Path(parent, name)))
        for each in _members(Path(parent), sorted(names)):
            empty = False
            yield each
    for error in closed:
        empty = False
        yield Input(Path(error.filename or folder), closed=error.strerror or str(error))
    if empty:
        yield Input(folder)


def _members(folder: Path, names: list[str]) -> Iterator[Input]:
    budgets = _budgets(folder, [name for name in names if name.lower().endswith(".toml")])
    for name in names:
        if Path(name).suffix.lower() in MODELS and not name.startswith("."):
            yield Input(folder / name)
        elif name in budgets:
            yield budgets[name]


def _budgets(folder: Path, names: list[str]) -> dict[str, Input]:
    """What TOML files of *folder* are to us, by name; of a base, those that extend it speak."""
    ours = folder.name == "budgets"
    if not names or not (ours or any(_mentions(folder / name, _WORDS) for name in names)):
        return {}
    from pytest_edgebudget.budget.folder import Kind, kinds

    found = kinds(folder)
    inputs = {}
    for name in names:
        kind = found.get((folder / name).resolve())
        if kind is Kind.BUDGET:
            inputs[name] = Input(folder / name, budget=True)
        elif kind is Kind.PROFILE and ours:
            inputs[name] = Input(folder / name, skipped=_PROFILE)
    return inputs


def _mentions(path: Path, words: tuple[bytes, ...]) -> bool:
    content = _content(path).replace(b"\0", b"")  # UTF-16 has a zero in each letter
    return any(word in content for word in words)


def _content(path: Path) -> bytes:
    """The bytes of a TOML file; none when it is no file, or larger than any of ours."""
    try:
        small = path.is_file() and path.stat().st_size <= _LARGEST
        return path.read_bytes() if small else b""
    except (OSError, ValueError):
        return b""


def _hidden(folder: Path) -> bool:
    """Caches and environments: nothing in them is the project's own."""
    if folder.name.startswith(".") or folder.name in _SKIPPED:
        return True
    return (folder / "pyvenv.cfg").exists()
