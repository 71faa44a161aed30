"""One emulated board: its folder, its CPU, and how a program is started on it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.devices.emulated import support
from pytest_edgebudget.devices.emulated.cores import Core, core_of
from pytest_edgebudget.devices.emulated.counter import counter_part
from pytest_edgebudget.devices.emulated.description import board_folder, describe
from pytest_edgebudget.devices.emulated.parts import Parts
from pytest_edgebudget.devices.emulated.qemu import Qemu, find_qemu
from pytest_edgebudget.devices.emulated.root import PYTHON, root_part
from pytest_edgebudget.devices.emulated.wheels import needs, wheel_part
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.errors import DeviceError
from pytest_edgebudget.types import Profile

EMULATOR = {"arm64": 2**30, "armhf": 5 * 2**30}
"""
Bytes of address space that QEMU takes for itself, libraries and translated code:
350 MB with LiteRT, 990 with ONNX Runtime. All that a 32-bit program may ever
have is set aside at once: there the limit is its own 4 GiB.
"""
TUNABLES = "glibc.malloc.tcache_count=65535"
"""
What is freed is kept for the next of its size: how many instructions an allocation
takes does not depend on what was done before. ONNX Runtime makes hundreds in each run.
"""
SEED = "1"  # of what QEMU hands out as random numbers: counts are the same then


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """
    A board that can be started.

    Attributes:
        name: the profile's.
        core: its CPU.
        folder: what QEMU shows as ``/``.
        root: the Linux that it is made of.
        qemu: the emulator.
        counter: the plugin that counts; None where there is none, or it was
            not tried with this QEMU.
        parts: what is installed.
        memory: bytes of address space that the emulator may take.
    """

    name: str
    core: Core
    folder: Path
    root: Path
    qemu: Qemu
    counter: Path | None
    parts: Parts
    memory: int | None

    def command(self) -> list[str]:
        """Starts Python on the board, with what follows."""
        words = [*self.qemu.command, "-L", str(self.folder), "-cpu", self.core.cpu, "-seed", SEED]
        words += ["-E", f"GLIBC_TUNABLES={TUNABLES}"]  # of programs on the board, not of QEMU
        if self.counter is not None:
            words += ["-plugin", str(self.counter).replace(",", ",,")]
        return [*words, str(self.root / f"usr/bin/python{PYTHON}"), "-s"]

    def environment(self, runtime: str) -> dict[str, str]:
        """All that a program on the board sees: nothing of the user's own."""
        wheels = [self._wheel(runtime, name) for name in needs(runtime, self.core.arch)]
        return {
            "LC_ALL": "C.UTF-8",
            "OPENBLAS_NUM_THREADS": "1",
            # Its thread would be counted, too, and it writes into the user's home.
            "ORT_DISABLE_TELEMETRY": "1",
            "PATH": "/usr/bin:/bin",
            "PYTHONHASHSEED": "0",
            # Compiling what a runtime imports takes two thirds of a first start.
            "PYTHONPYCACHEPREFIX": str(self.parts.bytecode),
            "PYTHONPATH": os.pathsep.join(str(self.parts.path(name)) for name in wheels),
        }

    def version(self, runtime: str) -> str:
        """The version of a runtime on it."""
        distribution = RUNTIMES[runtime].distribution
        part = self._wheel(runtime, distribution)
        return part.removeprefix(f"{distribution}-").removesuffix(f"-{self.core.arch}")

    def _wheel(self, runtime: str, distribution: str) -> str:
        return wheel_part(self.parts, runtime, distribution, self.core.arch)


def open_board(profile: Profile, parts: Parts, runtime: str) -> Board:
    """
    The board of a profile, with that runtime; starts nothing.

    Raises DeviceError where something is not installed, and says how to
    install it.
    """
    core = core_of(profile)
    assert core is not None  # else the way refuses the profile
    part = root_part(core.arch)
    if not parts.has(part) or not support.has_runtime(parts, runtime, core.arch):
        raise DeviceError(
            f"{profile.name} cannot be emulated with {runtime}: it is not installed",
            support.command(profile),
        )
    qemu = find_qemu(core.arch, parts)
    if qemu is None:
        lack = support.no_qemu(profile, core)
        raise DeviceError(f"{profile.name} cannot be emulated: {lack.what}", lack.command)
    counter = parts.path(counter_part()) / "counter.so"
    return Board(
        name=profile.name,
        core=core,
        folder=_folder(profile, core, parts),
        root=parts.path(part),
        qemu=qemu,
        counter=counter if qemu.counts and counter.is_file() else None,
        parts=parts,
        memory=profile.ram + EMULATOR[core.arch] if profile.ram else None,
    )


def _folder(profile: Profile, core: Core, parts: Parts) -> Path:
    files = describe(core, profile.cores or 1, profile.clock_hz)
    try:
        return board_folder(parts.boards, profile.name, parts.path(root_part(core.arch)), files)
    except OSError as error:
        raise DeviceError(
            f"the description of {profile.name} cannot be written in {parts.boards}:"
            f" {error.strerror}",
            "EDGEBUDGET_DATA names another folder for what is installed",
        ) from error
