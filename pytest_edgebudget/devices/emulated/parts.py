"""
What is installed for emulation: parts that are there as a whole, or not at all.

A part is a folder of files and a list of where they come from. It is filled
under another name and gets its own in one step at the end: an install that was
killed leaves nothing that is taken for a part.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pytest_edgebudget.devices.debian import data_folder

_LIST = "contents.json"
_NEW = ".new-"
Fill = Callable[[Path], Mapping[str, str]]
"""Fills an empty folder; returns the SHA-256 of each file that it was made of, by name."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts under *folder*, and which profile needs which."""

    folder: Path

    @property
    def boards(self) -> Path:
        """Where the descriptions of boards are made."""
        return self.folder / "boards"

    @property
    def bytecode(self) -> Path:
        """Where Python keeps what it compiled."""
        return self.folder / "bytecode"

    @property
    def downloads(self) -> Path:
        """What was fetched and is not yet installed: the next install goes on with it."""
        return self.folder / "downloads"

    def path(self, name: str) -> Path:
        """Where the files of a part are."""
        return self.folder / "parts" / name / "files"

    def has(self, name: str) -> bool:
        """Whether a part is there, as a whole."""
        return (self.folder / "parts" / name / _LIST).is_file()

    def names(self) -> tuple[str, ...]:
        """All parts that are there."""
        return tuple(sorted(it.parent.name for it in (self.folder / "parts").glob(f"*/{_LIST}")))

    def sources(self, name: str) -> Mapping[str, str]:
        """What a part was made of: names of files, and their SHA-256."""
        found: dict[str, str] = json.loads(
            (self.folder / "parts" / name / _LIST).read_text(encoding="utf-8")
        )["sha256"]
        return found

    def size(self, name: str) -> int:
        """Bytes of a part's files."""
        return sum(it.stat().st_size for it in self.path(name).rglob("*") if it.is_file())

    def make(self, name: str, fill: Fill) -> None:
        """Make a part, when it is not there; only under `locked`."""
        if self.has(name):
            return
        place = self.folder / "parts" / name
        new = place.with_name(_NEW + name)
        for left in (new, place):
            shutil.rmtree(left, ignore_errors=True)
        (new / "files").mkdir(parents=True)
        made_of = fill(new / "files")
        _write(new / _LIST, {"sha256": dict(sorted(made_of.items()))})
        new.rename(place)

    def remove(self, names: Sequence[str]) -> None:
        """Remove parts; only under `locked`."""
        for name in names:
            place = self.folder / "parts" / name
            (place / _LIST).unlink(missing_ok=True)  # from here on it is no part
            shutil.rmtree(place, ignore_errors=True)

    # --- profiles ---------------------------------------------------------------

    def needed(self) -> Mapping[str, tuple[str, ...]]:
        """The parts of each profile that was installed."""
        found = {}
        for path in sorted((self.folder / "profiles").glob("*.json")):
            found[path.stem] = tuple(json.loads(path.read_text(encoding="utf-8"))["parts"])
        return found

    def note(self, profile: str, names: Iterable[str]) -> None:
        """Write down that a profile needs these parts: it is installed now."""
        path = self.folder / "profiles" / f"{profile}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        _write(new, {"parts": sorted(names)})
        new.replace(path)

    def forget(self, profile: str) -> tuple[str, ...]:
        """Forget a profile; returns the parts that no other one needs."""
        left = {
            name for other, names in self.needed().items() if other != profile for name in names
        }
        (self.folder / "profiles" / f"{profile}.json").unlink(missing_ok=True)
        return tuple(name for name in self.names() if name not in left)

    # --- one at a time ------------------------------------------------------------

    @contextmanager
    def locked(self, say: Callable[[str], None] = lambda text: None) -> Iterator[None]:
        """Install or remove alone; waits for others, and says so. What they left is swept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say("another install is at work: waiting for it to end")
            lock.acquire()
        try:
            for left in (self.folder / "parts").glob(f"{_NEW}*"):
                shutil.rmtree(left, ignore_errors=True)
            yield
        finally:
            lock.release()


def parts() -> Parts:
    """Those of this user, in the data folder."""
    return Parts(data_folder() / "emulated")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
