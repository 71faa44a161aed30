"""
What tflite-micro says of a model's arena: the runtime that plans are compared with.

    python tflm_runtime.py FILE

prints the smallest arena in which the model comes up. A process of its own, and
a fork for each size: the runtime may crash where the arena is far too small.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import pytest

runtime = pytest.importorskip(
    "tflite_micro.python.tflite_micro.runtime", reason="tflite-micro is not installed"
)

AMPLE = 1 << 24


def report(model: bytes, arena: int = AMPLE) -> str:
    """What print_allocations writes. RuntimeError where the arena is too small."""
    with tempfile.TemporaryFile() as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            runtime.Interpreter.from_bytes(model, arena_size=arena).print_allocations()
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        file.seek(0)
        return file.read().decode()


def head_and_tail(model: bytes) -> tuple[int, int]:
    """Bytes of the planned and of the persistent part."""
    text = report(model)
    head, tail = (re.search(rf"allocation {name} (\d+) bytes", text) for name in ("head", "tail"))
    assert head is not None
    assert tail is not None
    return int(head[1]), int(tail[1])


def smallest_arena(model: bytes) -> int:
    low, high = 0, 2 * sum(head_and_tail(model)) + 4096
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _fits(model, middle) else (middle, high)
    return high


def _fits(model: bytes, arena: int) -> bool:
    child = os.fork()
    if child == 0:
        try:
            report(model, arena)
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    for name in sys.argv[1:]:
        sys.stdout.write(f"{smallest_arena(Path(name).read_bytes())}\n")
        sys.stdout.flush()
