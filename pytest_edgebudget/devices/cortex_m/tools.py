"""The compiler and the emulator: where they are, what they are called, how they are run."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pytest_edgebudget.devices.base import Lack
from pytest_edgebudget.devices.connection import Connection
from pytest_edgebudget.devices.emulated.tether import tether
from pytest_edgebudget.errors import DeviceError

COMPILER, EMULATOR = "arm-none-eabi-gcc", "qemu-system-arm"
PACKAGES = {COMPILER: "gcc-arm-none-eabi", EMULATOR: "qemu-system-arm"}
KEEPER = Path(__file__).with_name("keeper.py")
MEMORY = {COMPILER: 2 << 30, EMULATOR: 5 << 30}
"""Bytes of data that they may have at the most; one of QEMU's boards has 2 GiB of RAM itself."""

GRACE = 10.0  # seconds beyond a command's own limit


def lacks() -> Sequence[Lack]:
    """Which of the two is not installed."""
    return [
        Lack(f"{program} is not installed", f"apt install --no-install-recommends {package}")
        for program, package in PACKAGES.items()
        if shutil.which(program) is None
    ]


@functools.cache
def version(program: str) -> str:
    """
    Such as "12.2.1" or "7.2.22".

    Raises DeviceError where it is not installed, or does not tell.
    """
    try:
        asked = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        raise _missing(program) from None
    # gcc's packager writes a version of its own, in brackets.
    found = re.search(r"\d+(?:\.\d+)+", re.sub(r"\([^)]*\)", "", asked.stdout))
    if not found:
        raise DeviceError(f"{program} does not tell its version: {asked.stdout.strip()!r}")
    return found[0]


def _missing(program: str) -> DeviceError:
    return DeviceError(
        f"{program} is not installed",
        f"apt install --no-install-recommends {PACKAGES.get(program, program)}",
    )


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended: its *status* (None: out of time), and what it *said* last."""

    status: int | None
    said: str

    @property
    def well(self) -> bool:
        """Whether it did what it was for."""
        return self.status == 0

    @property
    def ending(self) -> str:
        """In words."""
        if self.status is None:
            return "took too long"
        if self.status < 0:
            return f"was killed by signal {-self.status}"
        return f"ended with status {self.status}"


class Keeper:
    """
    Runs commands in a process that ends with us, and they with it.

    Raises DeviceError when it is killed, or does not start.
    """

    def __init__(self) -> None:
        command = [*tether(), sys.executable, "-I", "-S", str(KEEPER)]
        self._connection = Connection(command, what="the Cortex-M bench")

    def run(self, command: Sequence[str], folder: Path, limit: float, doing: str) -> Done:
        """Run *command* in *folder* for at most *limit* seconds; *doing* as in "compiling it"."""
        reply = self._connection.request(
            "run",
            doing=doing,
            limit=limit + GRACE,
            command=[*tether(MEMORY.get(command[0])), *command],
            folder=str(folder),
            seconds=limit,
        )
        return Done(reply["status"], reply["said"])

    def close(self) -> None:
        """End it."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.__exit__(kind, error, traceback)
