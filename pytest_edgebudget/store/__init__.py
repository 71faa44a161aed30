"""
The cache: files addressed by their SHA-256, and records of what became of what.

Safe under concurrent runs and a kill at any moment: everything is written to a
temporary file in its own folder, synced, and renamed. What is damaged
nevertheless is removed when it is asked for, so that it is made anew.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.jobs import JSON
from pytest_edgebudget.store import eviction
from pytest_edgebudget.store.files import copy_in, digest, remove, touch, write_whole

CACHEDIR_TAG = """\
Signature: 8a477f597d28d172789f06886806bc55
# This folder is a cache of pytest-edgebudget; it can be removed at any time.
"""


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What the cache holds: number of *entries*, their *bytes*, the *limit* in bytes."""

    folder: Path
    entries: int
    bytes: int
    limit: int


class Store:
    """
    A content-addressed cache in *folder*, kept below *limit* bytes between runs.

    *repairs* lists what was found damaged and removed, a sentence each.

    Raises:
        EdgeBudgetError: the folder cannot be written.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        self.repairs: list[str] = []
        self._objects = folder / "objects"
        self._records = folder / "records"
        self._checkpoints = folder / "checkpoints"
        self._prepare()

    # --- files -----------------------------------------------------------------

    def put_file(
        self, path: Path, suffix: str, beside: Mapping[str, Path] | None = None
    ) -> tuple[str, Path]:
        """
        Copy the file at *path* into the cache; return its SHA-256 and its place.

        *beside* maps relative names to data files that the file refers to: they
        lie beside it in the cache, and the address covers them, too.
        """
        with self._writing():
            if beside:
                return self._put_folder(path, suffix, beside)
            known = self._place(digest(path), suffix)
            if self._intact(known, known.stem):
                return known.stem, known
            part, sha256 = copy_in(path, self._objects)
            target = self._place(sha256, suffix)  # of what was read this time
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)
            self._shrink()
        return sha256, target

    def file(self, sha256: str, suffix: str) -> Path | None:
        """The file of that address, checked byte for byte, or None."""
        place = self._place(sha256, suffix)
        if self._intact(place, sha256):
            return place
        folder = self._objects / sha256[:2] / sha256
        inside = folder / f"model{suffix}"
        return inside if self._intact_folder(folder, inside, sha256) else None

    def _put_folder(self, path: Path, suffix: str, beside: Mapping[str, Path]) -> tuple[str, Path]:
        main = f"model{suffix}"
        sha256 = _digest_of({main: path, **beside})
        target = self._objects / sha256[:2] / sha256
        if not self._intact_folder(target, target / main, sha256):
            part = self._objects / f"{eviction.PART}{sha256}"
            with self.lock(sha256):
                shutil.rmtree(part, ignore_errors=True)
                for name, source in {main: path, **beside}.items():
                    (part / name).parent.mkdir(parents=True, exist_ok=True)
                    copied, _ = copy_in(source, part)
                    copied.replace(part / name)
                remove(target)  # what a kill may have left of it
                target.parent.mkdir(parents=True, exist_ok=True)
                part.replace(target)
        return sha256, target / main

    def _place(self, sha256: str, suffix: str) -> Path:
        return self._objects / sha256[:2] / f"{sha256}{suffix}"

    def _intact(self, place: Path, sha256: str) -> bool:
        try:
            whole = digest(place) == sha256
        except OSError:
            return False
        if whole:
            touch(place)
        else:
            self._drop(place, "its bytes are not those that it is named after")
        return whole

    def _intact_folder(self, folder: Path, main: Path, sha256: str) -> bool:
        if not main.is_file():
            return False
        files = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
        whole = _digest_of(files) == sha256
        if whole:
            touch(main)
        else:
            self._drop(folder, "its bytes are not those that it is named after")
        return whole

    # --- records ---------------------------------------------------------------

    def record(self, kind: str, key: Mapping[str, str]) -> JSON:
        """What `write_record` stored under *key*, or None."""
        place = self._record_place(kind, key)
        try:
            text = place.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError):
            text = ""
        checksum, _, body = text.partition("\n")
        if hashlib.sha256(body.encode()).hexdigest() != checksum:
            self._drop(place, "its checksum is wrong")
            return None
        touch(place)
        value: JSON = json.loads(body)["value"]
        return value

    def write_record(self, kind: str, key: Mapping[str, str], value: JSON) -> None:
        """Store *value* under *key*; a value that is there is replaced."""
        body = json.dumps({"key": dict(key), "value": value}, sort_keys=True)
        checksum = hashlib.sha256(body.encode()).hexdigest()
        place = self._record_place(kind, key)
        with self._writing():
            write_whole(place, f"{checksum}\n{body}".encode())
            self._shrink()

    def _record_place(self, kind: str, key: Mapping[str, str]) -> Path:
        return self._records / kind / f"{_digest_of_key(key)}.json"

    # --- work that a kill must not lose ------------------------------------------

    def checkpoint(self, key: Mapping[str, str]) -> Path:
        """The folder for what is half done under *key*; it stays until `drop_checkpoint`."""
        folder = self._checkpoints / _digest_of_key(key)
        with self._writing():
            folder.mkdir(parents=True, exist_ok=True)
        touch(folder)
        return folder

    def drop_checkpoint(self, key: Mapping[str, str]) -> None:
        """Remove what was kept under *key*: the work is done."""
        shutil.rmtree(self._checkpoints / _digest_of_key(key), ignore_errors=True)

    # --- the whole ---------------------------------------------------------------

    def info(self) -> StoreInfo:
        """How much is there."""
        entries = eviction.entries(self.folder)
        size = sum(entry.size for entry in entries)
        return StoreInfo(self.folder, len(entries), size, self.limit)

    def clear(self) -> None:
        """Remove every file and record; locks stay, for others may hold them."""
        for folder in (self._objects, self._records, self._checkpoints):
            shutil.rmtree(folder, ignore_errors=True)
        self._prepare()

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """One process at a time does what *name* says, in all runs of this cache."""
        from filelock import FileLock

        file = hashlib.sha256(name.encode()).hexdigest()[:32]
        with self._writing():
            lock = FileLock(self.folder / "locks" / f"{file}.lock")
        with lock:
            yield

    def _prepare(self) -> None:
        with self._writing():
            for folder in (self._objects, self._records, self.folder / "locks"):
                folder.mkdir(parents=True, exist_ok=True)
            for name, text in ((".gitignore", "*\n"), ("CACHEDIR.TAG", CACHEDIR_TAG)):
                if not (self.folder / name).exists():
                    write_whole(self.folder / name, text.encode())

    def _shrink(self) -> None:
        eviction.shrink(self.folder, self.limit)

    def _drop(self, place: Path, why: str) -> None:
        remove(place)
        self.repairs.append(f"damaged cache entry {place.name} removed: {why}")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise EdgeBudgetError(
                f"the cache folder {self.folder} cannot be used: {error.strerror or error}",
                "set [tool.edgebudget] cache in pyproject.toml to a folder that can be written",
            ) from error


def _digest_of_key(key: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(dict(key), sort_keys=True).encode()).hexdigest()


def _digest_of(files: Mapping[str, Path]) -> str:
    lines = [f"{name}\0{digest(path)}\n" for name, path in sorted(files.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
