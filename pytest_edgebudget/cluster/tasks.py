"""What travels between a search and those who work for it."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest_edgebudget
from pytest_edgebudget.cluster.parcels import Parcel
from pytest_edgebudget.data import DataFile
from pytest_edgebudget.jobs import JSON
from pytest_edgebudget.store.files import digest
from pytest_edgebudget.types import (
    Artifact,
    DeviceChoice,
    Limit,
    Measurement,
    ModelBudget,
    Recipe,
)


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a cache: see `Store.write_record`."""

    kind: str
    key: tuple[tuple[str, str], ...]
    value: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    What is the same for all tasks of a search.

    Attributes:
        root: the project's folder, where the user's modules lie.
        cache: the folder of the search's own cache, for workers that see it; else "".
        files: of the model and of its data; none for workers that see them.
    """

    model: ModelBudget
    choice: DeviceChoice
    source: Artifact
    data: DataFile | None
    root: str
    cache: str = ""
    files: tuple[Parcel, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Build *recipe*; *tried*: and run it once. *files* and *records* are known of it."""

    recipe: Recipe
    tried: bool
    files: tuple[Parcel, ...] = ()
    records: tuple[Record, ...] = ()

    def __str__(self) -> str:
        return f"building {self.recipe}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Read the metrics of *limits* of *artifact*, whose *files* come along where need be."""

    artifact: Artifact
    limits: tuple[Limit, ...]
    split: str
    first: int | None
    files: tuple[Parcel, ...] = ()

    def __str__(self) -> str:
        return f"measuring {self.artifact.recipe}"


Task = Build | Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error of errors.py by its class, with what it was made of."""

    kind: str
    message: str
    hint: str
    missing: tuple[str, str, str] | None = None
    """Library, extra and purpose of a `MissingExtra`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    What became of a task on the machine *where*.

    *files* and *records* are new to the cache of the search, or may be.
    """

    where: str
    value: Artifact | Measurement | None = None
    failure: Failure | None = None
    files: tuple[Parcel, ...] = ()
    records: tuple[Record, ...] = field(default=())


@functools.cache
def version() -> str:
    """Our version, with a digest of all our code: between releases it changes, too."""
    package = Path(pytest_edgebudget.__file__).parent
    files = sorted(package.rglob("*.py"))
    lines = [f"{file.relative_to(package).as_posix()} {digest(file)}\n" for file in files]
    code = hashlib.sha256("".join(lines).encode()).hexdigest()
    return f"{pytest_edgebudget.__version__} ({code[:8]})"
