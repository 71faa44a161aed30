"""
Reads one model in a process of its own, and says what that cost.

    python alone.py MODEL

prints a line of JSON. Seconds are the process's own (CPU) time of the reading,
so that a busy machine does not count; memory is the peak of the whole process.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple


class Outcome(NamedTuple):
    """*message*: of the ModelError, or "" when the model was read."""

    message: str
    seconds: float
    megabytes: float


def alone(path: Path) -> Outcome:
    """What it costs to read *path* in a fresh process."""
    command = [sys.executable, __file__, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return Outcome(*json.loads(done.stdout))


def main() -> None:
    from pytest_edgebudget import graph
    from pytest_edgebudget.errors import ModelError

    path, start, message = Path(sys.argv[1]), time.process_time(), ""
    try:
        graph.read(path)
    except ModelError as error:
        message = error.message
    seconds = time.process_time() - start
    sys.stdout.write(json.dumps([message, seconds, peak() / (1 << 20)]))


def peak() -> int:
    """
    Bytes of memory that this process had at most.

    Linux has two figures: ru_maxrss counts what the parent had before, VmHWM does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


if __name__ == "__main__":
    main()
