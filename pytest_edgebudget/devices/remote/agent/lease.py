"""
One timing at a time on this board, whoever asks for it.

A lock on the file that runs on the board itself use, too (see ``locks.py``):
the system drops it when the helper ends, however it ends, and the helper ends
when its connection does. So there is no stale lease, and nothing to expire.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .refusal import Refusal

NAME = "pytest-edgebudget.lock"
EVERYBODY = 0o666
PAUSE = 0.2  # seconds between two looks
TELL = 5.0  # seconds between two signs of life


class Lease:
    """The lock file in *folder*."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._file: int | None = None

    def take(
        self,
        alone: bool,
        wait: float,
        owner: dict[str, Any],
        gone: Callable[[float], bool],
        say: Callable[[str], None],
    ) -> bool:
        """
        Wait up to *wait* seconds for the board; False when nobody wants it any more.

        *alone*: to time something; otherwise beside others, while nobody times.
        *owner* is told to those who wait.
        """
        import fcntl

        self.release()
        file = self._open()
        mode = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
        start = said = time.monotonic()
        while not _try(file, mode):
            now = time.monotonic()
            if now - start > wait:
                os.close(file)
                raise Refusal("lease", f"the board is in use: {self._owner()}")
            if now - said > TELL:
                said = now
                say(f"waiting for the board, in use: {self._owner()}")
            if gone(PAUSE):
                os.close(file)
                return False
        self._file = file
        if alone:
            self._sign(json.dumps(owner))
        return True

    def release(self) -> None:
        """Let others have the board."""
        if self._file is not None:
            self._sign("")
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        for _ in range(10):
            try:
                return os.open(self._path, flags)
            except FileNotFoundError:
                with contextlib.suppress(FileExistsError):
                    made = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, EVERYBODY)
                    os.fchmod(made, EVERYBODY)
                    os.close(made)
        return os.open(self._path, flags)

    def _sign(self, text: str) -> None:
        # Only words for those who wait: the lock holds without them.
        with contextlib.suppress(OSError):
            file = os.open(self._path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW)
            os.write(file, text.encode("utf-8"))
            os.close(file)

    def _owner(self) -> str:
        try:
            with self._path.open(encoding="utf-8") as file:
                owner = json.loads(file.read(4096))
            who, since, pid = owner["who"], owner["since"], owner["pid"]
            return f"{who} times something since {since} (process {pid})"
        except (OSError, ValueError, TypeError, KeyError):
            return "somebody runs models there"


def _try(file: int, mode: int) -> bool:
    import fcntl

    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
