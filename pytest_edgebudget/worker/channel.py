"""JSON lines on pipes of our own, out of reach of what a runtime prints."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

GRACE = 5  # seconds that the parent has for a kill of its own before the alarm


class Channel:
    """
    The conversation with the parent.

    The pipes are duplicated, then stdout becomes stderr and stdin becomes
    empty: a runtime that prints cannot break a line, and one that reads
    cannot swallow a request.
    """

    def __init__(self) -> None:
        self._requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
        self._replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        os.close(nothing)
        sys.stdout = sys.stderr
        self._limit = 0

    def requests(self) -> Iterator[dict[str, Any]]:
        """Requests until the parent closes the pipe; each starts its alarm."""
        for line in self._requests:
            request = json.loads(line)
            self._limit = int(request.pop("limit", 0))
            self._alarm()
            yield request

    def progress(self, text: str) -> None:
        """Say that work goes on: the time limit starts again, here and there."""
        self._alarm()
        self._send({"progress": text})

    def reply(self, result: object) -> None:
        """Answer a request."""
        self._rest()
        self._send({"ok": result})

    def refuse(self, kind: str, message: str, hint: str = "") -> None:
        """Answer a request that cannot be met."""
        self._rest()
        self._send({"error": {"kind": kind, "message": message, "hint": hint}})

    def _send(self, value: object) -> None:
        self._replies.write(json.dumps(value) + "\n")
        self._replies.flush()

    def _rest(self) -> None:
        # Between requests a worker waits as long as its parent lives.
        if hasattr(signal, "alarm"):
            signal.alarm(0)

    def _alarm(self) -> None:
        # A worker whose parent was killed must not hang in a runtime for ever:
        # the default action of SIGALRM ends it even there.
        if hasattr(signal, "alarm"):
            signal.alarm(self._limit + GRACE if self._limit else 0)
