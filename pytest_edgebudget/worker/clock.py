"""The time of an invoke alone."""

from __future__ import annotations

import gc
from array import array
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any


def time_invokes(invoke: Callable[[], Any], runs: int, warmup: int) -> list[int]:
    """
    Nanoseconds of each of *runs* invokes, after *warmup* that do not count.

    The clock is read right before and after the invoke; the results go into
    an array that is there already, and the garbage collector waits.
    """
    times = array("q", bytes(8 * runs))
    clock = perf_counter_ns
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(warmup):
            invoke()
        for index in range(runs):
            start = clock()
            invoke()
            times[index] = clock() - start
    finally:
        if collecting:
            gc.enable()
    return times.tolist()
