"""
What LiteRT's ``benchmark_model`` prints, read.

Source: tensorflow/lite/tools/benchmark (README.md and benchmark_model.cc): times are
microseconds, in C++'s shortest form (``3.51239e+06``); memory is MiB since the tool
started, the tool's own included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_edgebudget.errors import DeviceError

NUMBER = r"([0-9.]+(?:e[+-]?[0-9]+)?)"
TIMES = re.compile(
    rf"Inference timings in us: Init: {NUMBER}, First inference: {NUMBER}, "
    rf"Warmup \(avg\): {NUMBER}, Inference \(avg\): {NUMBER}"
)
MEMORY = re.compile(
    rf"Memory footprint delta from the start of the tool \(MB\): init={NUMBER} overall={NUMBER}"
)
COUNT = re.compile(r"\bcount=([0-9]+)\b")
US = 1e-6
MIB = 1 << 20
LAST = 5  # lines of what it said that an error shows


@dataclass(frozen=True, slots=True)
class Report:
    """
    One process of the tool.

    Attributes:
        start: seconds of loading and allocating.
        first: seconds of the first inference.
        mean: seconds of an inference, the mean of *runs*.
        memory: bytes that the process took more at its peak; None when not told.
    """

    start: float
    first: float
    mean: float
    runs: int
    memory: float | None


def read(text: str) -> Report:
    """Raises DeviceError where *text* does not tell the times."""
    times, memory = TIMES.search(text), MEMORY.search(text)
    counts = COUNT.findall(text)
    if times is None or not counts:
        last = "\n  ".join(text.strip().splitlines()[-LAST:])
        raise DeviceError("benchmark_model told no times", f"it said last:\n  {last}")
    start, first, _, mean = (float(number) * US for number in times.groups())
    return Report(
        start=start,
        first=first,
        mean=mean,
        runs=int(counts[-1]),  # the first line counts the warm-up
        memory=float(memory[2]) * MIB if memory else None,
    )
