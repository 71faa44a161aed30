"""The time of an invoke alone, and marks around it for who counts instructions from outside."""

from __future__ import annotations

import gc
import os
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


def mark_invokes(invoke: Callable[[], Any], runs: int) -> None:
    """
    Invoke *runs* times, with a mark before and after each.

    A mark is the system call getsid, which no runtime makes: an emulator that
    counts instructions sees it.
    """
    mark = os.getsid
    for _ in range(runs):
        mark(0)
        invoke()
        mark(0)
