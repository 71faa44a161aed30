"""
The bytes of a file: small ones are read, large ones are mapped.

A mapped file costs the memory of the pages that are looked at. But a process
that looks at a page which is no longer there is killed (SIGBUS), so files that
are quickly copied are copied.
"""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmap import mmap

    Data = bytes | mmap
else:
    Data = bytes

MAPPED = 16 << 20
"""Bytes from which on a file is mapped."""


def contents(path: Path) -> Data:
    """
    The bytes of a regular file.

    Raises:
        OSError: it cannot be read, or is no regular file (a pipe might never end).
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a file")
    # Windows lets nobody replace or remove a file that is mapped.
    if status.st_size >= MAPPED and sys.platform != "win32":
        return _map(path)
    return path.read_bytes()


def _map(path: Path) -> Data:
    from mmap import ACCESS_READ, mmap

    with path.open("rb") as file:
        try:
            return mmap(file.fileno(), 0, access=ACCESS_READ)
        except (OSError, ValueError):  # not every file system can, and the file may have shrunk
            return file.read()
