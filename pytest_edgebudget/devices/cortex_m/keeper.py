"""
Runs compilers and emulators, one after another, for whoever started it.

A program of its own, with nothing of ours: requests and answers are JSON lines,
as `devices.connection` speaks them. What it started ends when it ends.

    {"op": "run", "command": [...], "folder": "...", "seconds": 10}
    {"ok": {"status": 0, "said": "the last of what the command wrote"}}

*status* is negative after a signal, and null when the time was over.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import Any

TAIL = 4096  # bytes of what a command said


def run(command: list[str], folder: str, limit: float) -> dict[str, Any]:
    """One command; what it writes goes to a file, so that it never waits for a reader."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,  # a compiler starts others
        )
        try:
            status: int | None = child.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end(child)
        said.seek(max(0, said.seek(0, os.SEEK_END) - TAIL))
        return {"status": status, "said": said.read().decode("utf-8", errors="replace")}


def _end(child: subprocess.Popen[bytes]) -> None:
    """End it and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def main() -> None:
    """Answer until there is nobody left who asks."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            result = run(request["command"], request["folder"], request["seconds"])
            answer = {"ok": result}
        except OSError as error:
            answer = {"ok": {"status": 127, "said": str(error)}}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
