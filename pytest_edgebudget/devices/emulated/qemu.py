"""QEMU's program for one process of another architecture: where it is, and how it is started."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.devices.base import Lack

PROGRAMS = {"arm64": "qemu-aarch64", "armhf": "qemu-arm"}
INSTALL = "apt install qemu-user"
TRIED = ("7.2",)
"""Versions whose plugin interface the counter was tried with."""


@dataclass(frozen=True, slots=True)
class Qemu:
    """The program at *path*, and its whole *version*: "7.2.22"."""

    path: str
    version: str

    @property
    def program(self) -> str:
        """Its name: "qemu-aarch64"."""
        return Path(self.path).name

    @property
    def line(self) -> str:
        """The line of releases: "7.2". Releases of one line differ by repairs."""
        return ".".join(self.version.split(".")[:2])

    @property
    def counts(self) -> bool:
        """Whether the counter works in it."""
        return self.line in TRIED


@functools.cache
def _version(path: str) -> str:
    try:
        asked = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"version (\d+(?:\.\d+)+)", asked.stdout)
    return found[1] if found else ""


def find_qemu(arch: str) -> Qemu | None:
    """The program for an architecture; None where it is not installed."""
    path = shutil.which(PROGRAMS[arch])
    version = _version(path) if path else ""
    return Qemu(path, version) if path and version else None


def missing(arch: str) -> Lack:
    """What is missing where there is none."""
    return Lack(f"{PROGRAMS[arch]} is not installed", INSTALL)
