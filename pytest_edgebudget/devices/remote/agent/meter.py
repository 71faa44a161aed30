"""Joules that only rise, from a sensor or from a program of the user's."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .refusal import Refusal
from .sensors import Sensor, find

SAYS = re.compile(r"([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*([munk\u00b5\u03bc]?)(J|W|Wh)")
SCALE = {"": 1.0, "m": 1e-3, "u": 1e-6, "\u00b5": 1e-6, "\u03bc": 1e-6, "n": 1e-9, "k": 1e3}
WATT_HOUR = 3600.0  # joules
PATIENCE = 10.0  # seconds for the user's program
PAUSE = 0.5  # seconds between two calls of it


class Meter:
    """
    Energy since it was opened.

    Watts are looked at by a thread and summed up by the trapezoid rule. The
    thread's own work is there before and during a run, and so is not counted
    by whoever subtracts the one from the other.
    """

    def __init__(self, root: str = "/", command: Sequence[str] = ()) -> None:
        self._sensor = _program(command) if command else find(root)
        self._lock = threading.Lock()
        self._joules = 0.0
        self._looks = 1
        self._value, self._time = self._sensor.read(), time.monotonic()
        self._first = self._value
        self._ended = threading.Event()
        if not self._sensor.counts:
            threading.Thread(target=self._watch, daemon=True).start()

    @property
    def domain(self) -> str:
        """What is measured, in words."""
        return self._sensor.domain

    def read(self) -> dict[str, Any]:
        """``joules`` and ``seconds`` on one clock, and how many ``looks`` there were."""
        with self._lock:
            self._look()
            return {"joules": self._joules, "seconds": self._time, "looks": self._looks}

    def close(self) -> None:
        """End the thread."""
        self._ended.set()

    def _look(self) -> None:
        value, now = self._sensor.read(), time.monotonic()
        if self._sensor.counts:
            self._joules = value - self._first
        else:
            self._joules += (value + self._value) / 2 * (now - self._time)
        self._value, self._time = value, now
        self._looks += 1

    def _watch(self) -> None:
        while not self._ended.wait(self._sensor.pause):
            with self._lock:
                try:
                    self._look()
                except Refusal:  # told to whoever asks next
                    return


def _program(command: Sequence[str]) -> Sensor:
    """The user's program: its last line is "12.5 J" of a counter, or "2.31 W" now."""
    counts = _said(command)[1]

    def read() -> float:
        value, still = _said(command)
        if still != counts:
            raise Refusal("platform", f"{command[0]} says joules now and watts then")
        return value

    words = " ".join(Path(word).name for word in command[:2])
    return Sensor(f"what {words} measures", counts, read, PAUSE)


def _said(command: Sequence[str]) -> tuple[float, bool]:
    """The number, in joules or watts, and whether it is joules."""
    try:
        child = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Refusal("platform", f"energy_command fails: {error}") from None
    lines = child.stdout.decode("utf-8", "replace").strip().splitlines()
    match = SAYS.fullmatch(lines[-1].strip()) if lines else None
    if match is None:
        said = lines[-1] if lines else ""
        raise Refusal(
            "platform",
            f"energy_command printed {said!r}",
            'its last line is a number with its unit: "12.5 J" of a counter that only rises, '
            'or "2.31 W" of this moment',
        )
    value = float(match.group(1)) * SCALE[match.group(2)]
    unit = match.group(3)
    return value * (WATT_HOUR if unit == "Wh" else 1.0), unit != "W"
