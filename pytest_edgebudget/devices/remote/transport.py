"""How a command for the device becomes one for this machine."""

from __future__ import annotations

import shlex
from typing import Protocol

READY = "edgebudget-is-here"
"""Printed before a program starts: what a login shell says before it is skipped."""


class Transport(Protocol):
    """A way to run commands on a device."""

    @property
    def name(self) -> str:
        """The device as messages name it: ``pi@pi4.local``."""

    @property
    def shell(self) -> str:
        """What a user types to run a command there: ``ssh pi@pi4.local``."""

    @property
    def url(self) -> str:
        """As a budget file names it: ``ssh://pi@pi4.local``."""

    @property
    def folder(self) -> str:
        """Where files are kept there; "" for the user's cache folder."""

    def open(self) -> None:
        """Make ready for a first connection; raises DeviceError where that cannot be."""

    def first(self, command: str) -> list[str]:
        """The call that runs *command*, and carries the others."""

    def other(self, command: str) -> list[str]:
        """A call beside the first one."""

    def broke(self, status: int, said: str) -> bool:
        """Whether a call that ended so lost its connection, and not its program."""

    def advice(self, said: str) -> str:
        """What to do about a connection that cannot be made; *said* are its last words."""

    def close(self) -> None:
        """Remove what `open` made."""


def in_shell(program: str, *arguments: str, folder: str = "") -> str:
    """
    A command line that runs *program* in whatever shell the user has there.

    *folder*: where it runs; the home folder without.

    It prints `READY` first. A program that dies of a signal gives the shell's
    status, 128 and the signal: that of ``ssh`` itself would be 255, like that
    of a lost connection.
    """
    words = " ".join([_program(program), *map(shlex.quote, arguments)])
    there = f"cd {shlex.quote(folder)} && " if folder else ""
    return f"exec sh -c {shlex.quote(f'{there}echo {READY}; {words}; exit $?')}"


def _program(name: str) -> str:
    """A program's name, quoted; paths begin in the home over there, as ``~/`` does."""
    if "/" not in name or name.startswith("/"):
        return shlex.quote(name)
    return f'"$HOME"/{shlex.quote(name.removeprefix("~/"))}'
