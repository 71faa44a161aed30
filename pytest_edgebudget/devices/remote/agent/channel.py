"""JSON lines on stdin and stdout, and the end of a helper nobody talks to."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Iterator
from typing import Any


class Channel:
    """
    The conversation with whoever started this.

    *silence*: seconds without a word after which the other side is gone, as
    when a cable was pulled: no system tells that for hours.
    """

    def __init__(self, silence: float, put_in: int = 0, put_out: int = 1) -> None:
        self._in = put_in
        self._out = put_out
        self._silence = silence
        self._buffer = b""

    def requests(self) -> Iterator[dict[str, Any]]:
        """Requests until the other side closes the pipe, or has been silent for too long."""
        while True:
            line = self._line()
            if line is None:
                return
            yield json.loads(line.decode("utf-8"))

    def gone(self, seconds: float) -> bool:
        """Wait so long; whether the other side has closed the pipe meanwhile."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return False
            if b"\n" in self._buffer:  # it speaks, so it lives
                time.sleep(left)
            elif not self._read(left):
                return True

    def reply(self, result: Any) -> None:
        """Answer a request."""
        self._send({"ok": result})

    def progress(self, text: str) -> None:
        """Say that it takes longer."""
        self._send({"progress": text})

    def refuse(self, kind: str, message: str, hint: str = "") -> None:
        """Say that it cannot be done."""
        self._send({"error": {"kind": kind, "message": message, "hint": hint}})

    def _line(self) -> bytes | None:
        end = time.monotonic() + self._silence
        while b"\n" not in self._buffer:
            left = end - time.monotonic()
            if left <= 0 or not self._read(left):
                return None
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _read(self, seconds: float) -> bool:
        """Read what comes within *seconds*; False at the end of the pipe."""
        ready, _, _ = select.select([self._in], [], [], seconds)
        if not ready:
            return True
        data = os.read(self._in, 1 << 20)
        self._buffer += data
        return bool(data)

    def _send(self, value: Any) -> None:
        data = (json.dumps(value) + "\n").encode("utf-8")
        while data:
            data = data[os.write(self._out, data) :]
