"""Files written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

PART = ".part-"
BLOCK = 1 << 20
READ_ONLY = 0o444


def copy_in(source: Path, folder: Path) -> tuple[Path, str]:
    """Copy *source* to a synced temporary file in *folder*; return it and its SHA-256."""
    sha256 = hashlib.sha256()
    with source.open("rb") as stream, _part(folder) as part:
        while block := stream.read(BLOCK):
            sha256.update(block)
            part.write(block)
        _finish(part)
    return Path(part.name), sha256.hexdigest()


def write_whole(path: Path, data: bytes) -> None:
    """Write *data* to *path*; whoever reads it sees all of it, or what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _part(path.parent) as part:
        part.write(data)
        _finish(part)
    Path(part.name).replace(path)


def _part(folder: Path) -> IO[bytes]:
    return tempfile.NamedTemporaryFile(dir=folder, prefix=PART, delete=False)


def _finish(part: IO[bytes]) -> None:
    part.flush()
    os.fsync(part.fileno())
    Path(part.name).chmod(READ_ONLY)


def digest(path: Path) -> str:
    """The SHA-256 of the file at *path*, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def touch(path: Path) -> None:
    """Note that *path* was used now (a cache that is read-only to us stays readable)."""
    with suppress(OSError):
        os.utime(path)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is still there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
