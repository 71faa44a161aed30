"""
Files by SHA-256 in a folder of bounded size, so that nothing is copied twice.

``blobs/SHA256`` holds contents; ``trees/NAME/`` the same under their own names
(hard links, where the file system has them), since a runtime looks at names and
finds a model's external data beside it. What was not used for longest goes first.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .refusal import Refusal

RECENT = 3600.0  # seconds: what was used since then may be in use
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Shelf:
    """The folder *folder*, of *limit* bytes."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self._blobs = folder / "blobs"
        self._trees = folder / "trees"
        self._limit = limit
        for each in (folder, self._blobs, self._trees):
            with _told(each):
                each.mkdir(mode=0o700, parents=True, exist_ok=True)

    def missing(self, sizes: dict[str, int]) -> list[str]:
        """Which of these contents (SHA-256 to bytes) are not here; the others are in use."""
        return [sha for sha, size in sizes.items() if not self._has(sha, size)]

    def write(self, sha: str, size: int, offset: int, data: bytes) -> None:
        """
        Take a piece of a content; with the last one it is checked and there.

        Until then the file has another name: a copy that was cut off is never
        taken for the whole.
        """
        if offset == 0:
            self.make_room(size)
        partial = self._blobs / f".{sha}.{os.getpid()}"
        try:
            with _told(self.folder), partial.open("r+b" if offset else "wb") as file:
                file.seek(offset)
                file.write(data)
                file.flush()
                if offset + len(data) == size:
                    os.fsync(file.fileno())
            if offset + len(data) == size:
                self._finish(partial, sha)
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise

    def tree(self, name: str, files: dict[str, str]) -> str:
        """The folder *name* with these files (relative path to SHA-256), made when it is not."""
        path = self._trees / name
        if path.is_dir():
            if self._whole(path, files):
                os.utime(path)
                return str(path)
            shutil.rmtree(path, ignore_errors=True)
        with _told(self.folder):
            fresh = Path(tempfile.mkdtemp(prefix=".", dir=self._trees))
            try:
                for relative, sha in files.items():
                    self._place(sha, fresh / relative)
                fresh.rename(path)
            except OSError:
                shutil.rmtree(fresh, ignore_errors=True)
                if not path.is_dir():  # else another run made it at the same time
                    raise
        return str(path)

    def make_room(self, size: int) -> None:
        """
        Remove what was not used for longest, until *size* more bytes are within bounds.

        Raises Refusal when the disk has not so much left.
        """
        trees = sorted(_entries(self._trees), key=lambda entry: entry[1])
        old = [path for path, used in trees if used < time.time() - RECENT]
        while old and (self._used() + size > self._limit or self._free() < size):
            shutil.rmtree(old.pop(0), ignore_errors=True)
            self._drop_blobs()
        if self._free() < size:
            raise _full(self.folder, f"{self._free()} bytes are free, {size} are needed")

    def _has(self, sha: str, size: int) -> bool:
        path = self._blobs / sha
        try:
            if path.stat().st_size == size:
                os.utime(path)
                return True
        except OSError:
            pass
        return False

    def _finish(self, partial: Path, sha: str) -> None:
        digest = hashlib.sha256()
        with partial.open("rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
        if digest.hexdigest() != sha:
            raise Refusal("disk", f"a file arrived damaged in {self.folder}")
        partial.rename(self._blobs / sha)

    def _whole(self, path: Path, files: dict[str, str]) -> bool:
        """Whether no file was cut off by a power failure, after which its content came anew."""
        try:
            return all(
                (path / relative).stat().st_size == (self._blobs / sha).stat().st_size
                for relative, sha in files.items()
            )
        except OSError:
            return False

    def _place(self, sha: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(self._blobs / sha, path)
        except OSError:  # FAT has no links
            shutil.copyfile(self._blobs / sha, path)

    def _drop_blobs(self) -> None:
        """Remove contents that no folder has any more, and halves of files."""
        for path, used in _entries(self._blobs):
            with contextlib.suppress(OSError):
                if used < time.time() - RECENT and path.stat().st_nlink == 1:
                    path.unlink()

    def _used(self) -> int:
        sizes: dict[int, int] = {}
        for path in self.folder.rglob("*"):
            with contextlib.suppress(OSError):
                if not path.is_symlink() and path.is_file():
                    found = path.stat()
                    sizes[found.st_ino] = found.st_size
        return sum(sizes.values())

    def _free(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize


def _entries(folder: Path) -> Iterator[tuple[Path, float]]:
    """Paths in a folder, and when each was used last."""
    for path in list(folder.iterdir()):
        with contextlib.suppress(OSError):
            yield path, path.stat().st_mtime


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Turn a full or forbidden disk into words."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise _full(folder, os.strerror(error.errno)) from error
        said = f"{error.filename or folder}: {error.strerror}"
        raise Refusal("disk", f"the board cannot keep files: {said}") from error


def _full(folder: Path, why: str) -> Refusal:
    return Refusal(
        "disk", f"the board's disk is full: {why}", f"make room there, or empty {folder}"
    )
