"""Artifacts into the cache and out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pytest_edgebudget.build import reading
from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.jobs import JSON
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Artifact, Recipe


def put(
    path: Path, recipe: Recipe, store: Store, *, name: str = "", notes: Sequence[str] = ()
) -> Artifact:
    """
    Copy the model at *path* and its data files into the cache.

    Raises:
        ModelError: it is not a model, or its data files lie elsewhere.
    """
    read = reading.read(path)
    beside = _beside(path, read, name or str(path))
    sha256, place = store.put_file(path, f".{read.format}", beside)
    return _artifact(recipe, place, sha256, read, notes)


def fetch(found: JSON, recipe: Recipe, store: Store) -> Artifact | None:
    """The artifact that a record of the cache describes, if it is still whole."""
    match found:
        case {"sha256": str(sha256), "suffix": str(suffix), "notes": list(notes)}:
            assert isinstance(found, dict)
            place = store.file(sha256, suffix)
            if place is not None:
                words = [str(note) for note in notes]
                made = _artifact(recipe, place, sha256, reading.read(place), words)
                return _with_others(made, found, store)
    return None


def _with_others(made: Artifact, found: Mapping[str, JSON], store: Store) -> Artifact | None:
    """The artifact with what it was made from; None where that is gone."""
    others = {}
    for field in ("uncompiled", "trainable"):
        if name := str(found.get(field, "")):
            others[field] = store.file(Path(name).stem, Path(name).suffix)
            if others[field] is None:
                return None
    uncompiled, trainable = others.get("uncompiled"), others.get("trainable")
    return replace(made, uncompiled=uncompiled, trainable=trainable)


def record(artifact: Artifact) -> JSON:
    """What `fetch` needs to find the artifact again."""
    found: dict[str, JSON] = {
        "sha256": artifact.sha256,
        "suffix": artifact.path.suffix,
        "notes": list(artifact.notes),
    }
    if artifact.uncompiled:
        found["uncompiled"] = artifact.uncompiled.name
    if artifact.trainable:
        found["trainable"] = artifact.trainable.name
    return found


def _artifact(
    recipe: Recipe, place: Path, sha256: str, read: Graph, notes: Sequence[str]
) -> Artifact:
    external = tuple(place.parent / name for name in read.external)
    size = read.size + sum(file.stat().st_size for file in external)
    return Artifact(
        recipe=recipe, path=place, sha256=sha256, size=size, external=external, notes=tuple(notes)
    )


def _beside(path: Path, read: Graph, name: str) -> Mapping[str, Path]:
    for file in read.external:
        if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
            raise ModelError(
                f"{name} keeps data in {file}, outside its folder",
                "save the model with its data beside it",
            )
    names = {PurePosixPath(file).as_posix() for file in read.external}  # "./w.bin" is "w.bin"
    return {name: path.parent / name for name in sorted(names)}
