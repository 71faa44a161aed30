"""
QEMU's program for one process of another architecture: where it is, and how it is started.

This machine's own is taken where instructions can be counted in it. Debian 13
builds it without plugins, and other releases have another interface for them:
there Debian 12's is installed beside the boards, without root rights, and
started with the libraries that it was built for.
"""

from __future__ import annotations

import functools
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.devices.debian import BOOKWORM, Archive, fetch_packages, unpack
from pytest_edgebudget.devices.emulated.parts import Parts, sha256_of
from pytest_edgebudget.errors import EdgeBudgetError

PROGRAMS = {"arm64": "qemu-aarch64", "armhf": "qemu-arm"}
TRIED = ("7.2",)
"""Lines of releases whose plugin interface the counter was tried with."""
_HERE = {
    "x86_64": ("amd64", "lib64/ld-linux-x86-64.so.2"),
    "aarch64": ("arm64", "lib/ld-linux-aarch64.so.1"),
}
"""Machines that Debian has QEMU for: its name of the architecture, and the loader of programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Qemu:
    """
    A program of QEMU.

    Attributes:
        program: its name: "qemu-aarch64".
        command: the words that start it.
        version: the whole of it: "7.2.22".
        counts: whether the counter works in it.
    """

    program: str
    command: tuple[str, ...]
    version: str
    counts: bool

    @property
    def line(self) -> str:
        """The line of releases: "7.2". Releases of one line differ by repairs."""
        return _line(self.version)


def _line(version: str) -> str:
    return ".".join(version.split(".")[:2])


def find_qemu(arch: str, parts: Parts) -> Qemu | None:
    """The program for an architecture's programs; None where there is none."""
    mine = machine_qemu(arch)
    if mine is not None and mine.counts:
        return mine
    return _installed(arch, parts) or mine


def machine_qemu(arch: str) -> Qemu | None:
    """The program of this machine itself; None where there is none."""
    path = shutil.which(PROGRAMS[arch])
    return _asked(PROGRAMS[arch], (path,)) if path else None


def _installed(arch: str, parts: Parts) -> Qemu | None:
    """The one that is installed beside the boards."""
    if not qemu_part() or not parts.has(qemu_part()):
        return None
    root = parts.path(qemu_part())
    libraries = ":".join(str(root / name) for name in _libraries(root))
    loader = root / _HERE[platform.machine()][1]
    program = root / "usr/bin" / PROGRAMS[arch]
    return _asked(PROGRAMS[arch], (str(loader), "--library-path", libraries, str(program)))


def _libraries(root: Path) -> list[str]:
    folders = [*root.glob("lib/*-linux-gnu"), *root.glob("usr/lib/*-linux-gnu")]
    return sorted(str(path.relative_to(root)) for path in folders)


@functools.cache
def _asked(program: str, command: tuple[str, ...]) -> Qemu | None:
    """What the program says about itself; None where it does not run."""
    found = re.search(r"version (\d+(?:\.\d+)+)", _said(command, "--version"))
    if found is None:
        return None
    counts = _line(found[1]) in TRIED and "-plugin" in _said(command, "-help")
    return Qemu(program=program, command=command, version=found[1], counts=counts)


def _said(command: tuple[str, ...], word: str) -> str:
    try:
        asked = subprocess.run(
            [*command, word], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout


def qemu_part() -> str:
    """The part that holds Debian 12's QEMU for this machine; "" where it has none."""
    here = _HERE.get(platform.machine())
    return f"qemu-user-bookworm-{here[0]}-1" if here else ""


def install_qemu(parts: Parts, say: Callable[[str], None], archive: Archive = BOOKWORM) -> None:
    """
    Fetch QEMU and the libraries that it needs; does nothing where it is done.

    Raises EdgeBudgetError where they cannot be had.
    """
    name = qemu_part()
    if not name:
        raise EdgeBudgetError(
            f"Debian has no QEMU for a machine of the kind {platform.machine()}",
            f"install QEMU {' or '.join(TRIED)} with plugins yourself",
        )
    if parts.has(name):
        return
    say(f"fetching QEMU from {archive.place}")
    folder = parts.downloads / name
    arch = _HERE[platform.machine()][0]
    packages = fetch_packages(["qemu-user"], arch, folder, archive=archive)

    def fill(root: Path) -> Mapping[str, str]:
        for package in packages:
            unpack(package, root)
        for program in (root / "usr/bin").iterdir():
            if program.name not in PROGRAMS.values():
                program.unlink()
        return {package.name: sha256_of(package) for package in packages}

    parts.make(name, fill)
    shutil.rmtree(folder, ignore_errors=True)
