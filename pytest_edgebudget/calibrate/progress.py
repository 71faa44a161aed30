"""Progress for a log: a line now and then."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

SECONDS = 10.0


def now_and_then(tell: Callable[[str], None]) -> Callable[[str], None]:
    """What passes on the first text, and then at most one in ten seconds."""
    last = -SECONDS

    def say(text: str) -> None:
        nonlocal last
        if monotonic() - last >= SECONDS:
            last = monotonic()
            tell(text)

    return say
