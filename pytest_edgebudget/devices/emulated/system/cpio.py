"""
An archive that a Linux kernel unpacks into its first root folder.

Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst, the "newc" format.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO

_MAGIC = "070701"


class Archive:
    """Writes files under the names that they shall have there; folders come by themselves."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._count = 0
        self._folders: set[str] = set()

    def folder(self, name: str) -> None:
        """A folder, and those that it lies in."""
        parts = Path(name.strip("/")).parts
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            if path not in self._folders:
                self._folders.add(path)
                self._entry(path, stat.S_IFDIR | 0o755, b"")

    def text(self, name: str, content: bytes, mode: int = 0o644) -> None:
        """A file with this content."""
        self.folder(os.path.dirname(name))  # noqa: PTH120 a path of the other machine
        self._entry(name, stat.S_IFREG | mode, content)

    def link(self, name: str, target: str) -> None:
        """A symbolic link."""
        self.folder(os.path.dirname(name))  # noqa: PTH120
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def console(self) -> None:
        """The device to which the first program's messages go."""
        self.folder("dev")
        self._entry("dev/console", stat.S_IFCHR | 0o600, b"", device=(5, 1))

    def tree(self, folder: Path, name: str, wanted: Callable[[Path], bool]) -> None:
        """Everything under *folder*, as *name*; of files those that are *wanted*."""
        self.folder(name)
        for path in sorted(folder.rglob("*")):
            inside = f"{name}/{path.relative_to(folder)}"
            if path.is_symlink():
                self.link(inside, str(path.readlink()))
            elif path.is_file() and wanted(path):
                self.text(inside, path.read_bytes(), stat.S_IMODE(path.stat().st_mode))

    def end(self) -> None:
        """Nothing more comes."""
        self._entry("TRAILER!!!", 0, b"")

    def _entry(
        self, name: str, mode: int, content: bytes, device: tuple[int, int] = (0, 0)
    ) -> None:
        self._count += 1
        encoded = name.strip("/").encode() + b"\0"
        fields = (
            *(self._count, mode, 0, 0, 1, 0, len(content)),
            *(0, 0, *device, len(encoded), 0),
        )
        header = _MAGIC + "".join(f"{field:08x}" for field in fields)
        self._padded(header.encode() + encoded)
        self._padded(content)

    def _padded(self, content: bytes) -> None:
        self._file.write(content + b"\0" * (-len(content) % 4))
