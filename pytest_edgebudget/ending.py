"""What a run started ends with it, also when it is told to end (SIGTERM), as CI does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = "interrupted; what was built is kept, run again to go on"


@contextmanager
def interruptible() -> Iterator[None]:
    """
    Inside, SIGTERM is what Ctrl-C is: workers and temporary folders go, then the run ends.

    Nothing changes where somebody else handles SIGTERM, or outside of the main thread.
    """
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if ours:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        if ours and signal.getsignal(signal.SIGTERM) is signal.default_int_handler:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
