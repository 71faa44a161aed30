"""
One timing at a time on this machine, and none while builds or predictions run.

A reader/writer lock on one file in the temporary folder, shared by all runs
of all users: two runs on two cores doubled each other's medians. The system
drops a lock when its process ends, however it ends. Not to be nested: one
inside the other would wait for itself.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

FILE = "pytest-edgebudget.lock"
EVERYBODY = 0o666


def quiet(folder: Path | None = None) -> AbstractContextManager[None]:
    """Hold the machine alone, to time something; waits for everything else."""
    return _held(folder, alone=True)


def busy(folder: Path | None = None) -> AbstractContextManager[None]:
    """Work on the machine beside others; waits while somebody times."""
    return _held(folder, alone=False)


@contextmanager
def _held(folder: Path | None, *, alone: bool) -> Iterator[None]:
    path = (folder or Path(tempfile.gettempdir())) / FILE
    if sys.platform == "win32":
        # Without shared locks, whoever works waits for its turn, too.
        from filelock import FileLock

        with FileLock(path):
            yield
        return
    import fcntl

    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    """
    Open the lock file, or make it for everybody.

    Reading is enough for flock(2). O_CREAT is left out where the file exists:
    kernels with fs.protected_regular refuse it on somebody else's file in a
    sticky folder.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    for _ in range(10):
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            _make(path)
    return os.open(path, flags)


def _make(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, EVERYBODY)
    except FileExistsError:
        return
    os.fchmod(descriptor, EVERYBODY)  # whatever the umask took away
    os.close(descriptor)
