"""What a result depends on: the keys of the cache."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest_edgebudget
from pytest_edgebudget.store.files import digest


def libraries(names: Iterable[str]) -> dict[str, str]:
    """Versions of the installed distributions among *names*, and of this package."""
    versions = {"pytest-edgebudget": pytest_edgebudget.__version__, "passes": _own_code()}
    for name in names:
        if version := _version(name):
            versions[name] = version
    return versions


@cache
def _own_code() -> str:
    """The digest of our own passes and exports: between releases they change, too."""
    package = Path(pytest_edgebudget.__file__).parent
    files = sorted((*package.glob("passes/*.py"), *package.glob("build/*.py")))
    return hashlib.sha256("".join(map(digest, files)).encode()).hexdigest()


@cache
def training_code() -> str:
    """The digest of our own training and surgery, which only steps that train depend on."""
    package = Path(pytest_edgebudget.__file__).parent
    files = sorted((*package.glob("training/*.py"), *package.glob("surgery/*.py")))
    return hashlib.sha256("".join(map(digest, files)).encode()).hexdigest()


@cache
def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def code(function: Callable[..., Any]) -> str:
    """
    The digest of the file that defines *function* and of those beside it.

    Another text may do another thing, and a function calls its neighbours.
    """
    file = source_file(function)
    if file is None:
        return ""
    files = sorted({file, *file.parent.glob("*.py")})
    return hashlib.sha256("".join(map(digest, files)).encode()).hexdigest()


def source_file(function: Callable[..., Any]) -> Path | None:
    """The file that defines *function*, if it has one."""
    try:
        return Path(inspect.getfile(function))
    except (TypeError, OSError):
        return None


def digest_folder(folder: Path) -> str:
    """The SHA-256 of names and contents of all files in *folder*."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{path.relative_to(folder).as_posix()}\0{digest(path)}\n" for path in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
