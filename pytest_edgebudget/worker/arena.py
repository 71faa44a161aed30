"""The smallest arena in which a model runs, found by trying."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

from .refusal import Refusal

STEP = 16  # bytes: what arenas are aligned to
PATIENCE = 60  # seconds for one try

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG, prctl(2)


def smallest_that_runs(
    run: Callable[[int], object], least: int, ample: int, progress: Callable[[str], None]
) -> int:
    """
    The smallest size, in steps of 16 bytes, at which ``run(size)`` returns.

    Args:
        run: raises where the size is too small, or crashes the process.
        least: below this, the runtime's own accounts say, nothing runs.
        ample: a size at which it surely would.
        progress: told before each try.

    Each try is a process of its own: a runtime may crash in an arena that is a
    little too small.
    """
    low, size = -(-least // STEP) * STEP, -(-least // STEP) * STEP
    while not _runs(run, size, progress):
        if size > ample:
            raise Refusal("model", f"the model does not run in an arena of {ample} bytes")
        low, size = size + STEP, size + max(STEP, 2 * (size - least))
    while low < size:
        middle = (low + size) // (2 * STEP) * STEP
        if _runs(run, middle, progress):
            size = middle
        else:
            low = middle + STEP
    return size


def _runs(run: Callable[[int], object], size: int, progress: Callable[[str], None]) -> bool:
    progress(f"in {size} bytes")
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        _try(run, size, parent)
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0


def _try(run: Callable[[int], object], size: int, parent: int) -> None:
    """In the child; does not return."""
    status = 1
    try:
        signal.alarm(PATIENCE)  # its default action ends a hung runtime, too
        if sys.platform.startswith("linux"):
            ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() == parent:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            run(size)
            status = 0
    finally:
        os._exit(status)
