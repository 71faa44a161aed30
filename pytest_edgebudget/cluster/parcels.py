"""Files on their way from one cache to another, each under its SHA-256."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_edgebudget.data import DataFile
from pytest_edgebudget.errors import DeviceError
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Artifact


@dataclass(frozen=True, slots=True)
class Parcel:
    """
    A file, its address in a cache, and its *content*.

    *beside*: data files that it refers to, by their relative names; *path*: where it lay.
    """

    sha256: str
    suffix: str
    path: str
    content: bytes
    beside: tuple[tuple[str, bytes], ...] = ()


def packed(path: Path, sha256: str, external: Iterable[Path] = ()) -> Parcel:
    """The file at *path* with the data files beside it."""
    beside = tuple(
        (file.relative_to(path.parent).as_posix(), file.read_bytes()) for file in external
    )
    return Parcel(sha256, path.suffix, str(path), path.read_bytes(), beside)


def unpacked(parcel: Parcel, store: Store) -> Path:
    """
    Its place in *store*, where it is put unless it is there.

    Raises `DeviceError` for bytes that are not those of its address.
    """
    if found := store.file(parcel.sha256, parcel.suffix):
        return found
    with tempfile.TemporaryDirectory(prefix="edgebudget-") as folder:
        main = Path(folder, f"model{parcel.suffix}")
        main.write_bytes(parcel.content)
        beside = {name: Path(folder, name) for name, _ in parcel.beside}
        for name, content in parcel.beside:
            beside[name].parent.mkdir(parents=True, exist_ok=True)
            beside[name].write_bytes(content)
        sha256, place = store.put_file(main, parcel.suffix, beside)
    if sha256 != parcel.sha256:
        raise DeviceError(
            f"{Path(parcel.path).name} arrived damaged: {sha256[:12]}, not {parcel.sha256[:12]}",
            "try again; where it stays so, look at the network and at the worker's disk",
        )
    return place


def of_artifact(artifact: Artifact) -> tuple[Parcel, ...]:
    """All files of *artifact*."""
    others = [path for path in (artifact.uncompiled, artifact.trainable) if path]
    own = packed(artifact.path, artifact.sha256, artifact.external)
    return (own, *(packed(path, path.stem) for path in others))


def of_data(data: DataFile | None) -> tuple[Parcel, ...]:
    """The file of the samples."""
    return (packed(data.path, data.sha256),) if data else ()


def settled(artifact: Artifact, places: Mapping[str, Path]) -> Artifact:
    """*artifact* with the paths that its files have here; *places* by SHA-256."""
    path = places[artifact.sha256]
    old = artifact.path.parent
    return replace(
        artifact,
        path=path,
        external=tuple(path.parent / file.relative_to(old) for file in artifact.external),
        uncompiled=_moved(artifact.uncompiled, places),
        trainable=_moved(artifact.trainable, places),
    )


def _moved(path: Path | None, places: Mapping[str, Path]) -> Path | None:
    return places[path.stem] if path is not None else None
