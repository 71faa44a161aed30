"""
What a model adds to this process, from Linux's own books.

The peak is the largest of the anonymous memory now and VmHWM (the high-water
mark of all resident memory, set back before the model is loaded) less the
file pages: pages of libraries that the first model touches are not the
model's. Sources: proc_pid_status(5), proc_pid_clear_refs(5), proc_pid_smaps(5).
"""

from __future__ import annotations

import ctypes
import gc
import re
import sys
from pathlib import Path

from .refusal import Refusal

_PROC = Path("/proc/self")
_KIB = 1024

# mallopt(3): one arena, and give memory back as soon as it is free, so that
# what the warm-up left behind neither hides nor adds to what the model takes.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MMAP_THRESHOLD = 64 * _KIB


def need_linux() -> None:
    """Refuse elsewhere, before anything is done."""
    if not sys.platform.startswith("linux"):
        raise Refusal("platform", f"ram is read from Linux's books, and this is {sys.platform}")


def settle() -> None:
    """Give free memory back to the system; the same state in every worker."""
    gc.collect()
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)


def steady_malloc() -> None:
    """Make glibc's allocator repeatable; does nothing with another C library."""
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_ARENA_MAX, 1)
        library.mallopt(_M_TRIM_THRESHOLD, 0)
        library.mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD)


def reset_peak() -> None:
    """Set VmHWM back to what is resident now."""
    try:
        (_PROC / "clear_refs").write_text("5", encoding="ascii")
    except OSError as error:
        raise Refusal(
            "platform",
            f"the peak memory of a process cannot be set back here: {error}",
            "ram needs Linux with a writable /proc/self/clear_refs",
        ) from error


def anonymous() -> int:
    """Anonymous memory now, in bytes."""
    return _status()["RssAnon"]


def peak_anonymous() -> int:
    """Peak of the anonymous memory since `reset_peak`, in bytes."""
    status = _status()
    return max(status["RssAnon"], status["VmHWM"] - status["RssFile"])


def mapped(path: str) -> int:
    """Touched bytes of the mappings of the file *path*."""
    touched, inside = 0, False
    for line in (_PROC / "smaps").read_text(encoding="utf-8", errors="replace").splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            inside = line.endswith(" " + path)
        elif inside and line.startswith("Rss:"):
            touched += int(line.split()[1]) * _KIB
    return touched


def _status() -> dict[str, int]:
    """Memory fields of ``/proc/self/status``, in bytes."""
    try:
        text = (_PROC / "status").read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise Refusal("platform", f"no /proc/self/status here: {error}") from error
    return {name: int(kib) * _KIB for name, kib in re.findall(r"(\w+):\s+(\d+) kB", text)}
