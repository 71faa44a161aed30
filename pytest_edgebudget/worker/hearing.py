"""What native code says on stderr: a library that explains itself there alone."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def hearing() -> Iterator[Callable[[], str]]:
    """
    Hear what is written to file descriptor 2 meanwhile.

    Yields a function that returns what was said so far. All of it goes on to
    the real stderr when the block ends.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)

        def heard() -> str:
            file.seek(0)
            return file.read().decode("utf-8", errors="replace")

        try:
            yield heard
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.write(2, heard().encode("utf-8"))
            os.close(kept)
