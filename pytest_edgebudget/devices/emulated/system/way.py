"""``run = "emulate-system"``: an emulated board, and a whole computer that weighs models."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from statistics import median

from pytest_edgebudget import locks
from pytest_edgebudget.devices.base import CannotTell, Fill, Lack, Way
from pytest_edgebudget.devices.emulated import support
from pytest_edgebudget.devices.emulated.cores import core_of
from pytest_edgebudget.devices.emulated.device import EmulatedDevice
from pytest_edgebudget.devices.emulated.parts import parts
from pytest_edgebudget.devices.emulated.system import computer
from pytest_edgebudget.devices.emulated.system.kernel import PART, install_kernel
from pytest_edgebudget.devices.emulated.way import open_emulated
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.facts import DeviceMemory, MemoryFacts
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence, Profile, Unit
from pytest_edgebudget.units import format_value

COARSE = 256 * 1024
"""Bytes: Linux 6.1 brings a program's books up to date after 64 pages."""


class SystemDevice(EmulatedDevice):
    """As `EmulatedDevice`, but a model is weighed by a Linux for ARM, under a ceiling."""

    __slots__ = ()

    def evidence(self, facts: type) -> Evidence:
        """All by the board's own instructions."""
        del facts
        return Evidence.EMULATED

    def source(self, facts: type) -> Callable[[Artifact, Fill], object] | None:
        """Memory by booting a computer."""
        return self._boot if facts is MemoryFacts else None

    def _boot(self, artifact: Artifact, fill: Fill) -> DeviceMemory:
        del fill
        runtime = self.runtime_for(artifact.format)
        board = self._board(runtime)
        for lack in _missing(self.choice.profile):
            raise CannotTell(f"{lack.what}: {lack.command}")
        with locks.busy():
            found = computer.weigh(
                board,
                runtime,
                artifact,
                threads=self.choice.threads,
                ceiling=self.choice.profile.ram or computer.MOST,
            )
        return _memory(found)


def _memory(found: computer.Weighed) -> DeviceMemory:
    totals = [sum(pair) for pair in zip(found.anonymous, found.mapped, strict=True)]
    parts = (
        f"{_size(median(found.anonymous))} anonymous + {_size(median(found.mapped))} mapped file",
        f"with Python and the runtime at most {_size(found.peak)} beside files,"
        f" not killed under a ceiling of {_size(found.ceiling)}",
        f"experimental: Linux {found.kernel} in QEMU, whose books are {_size(COARSE)} coarse",
    )
    return DeviceMemory(
        value=float(median(totals)),
        low=float(max(0, min(totals) - COARSE)),
        high=float(max(totals) + COARSE),
        evidence=Evidence.EMULATED,
        note="; ".join(parts),
    )


def _size(value: float) -> str:
    return format_value(float(value), Unit.BYTES)


def _missing(profile: Profile) -> tuple[Lack, ...]:
    """What a computer needs beside what a board needs."""
    found = [] if shutil.which(computer.PROGRAM) else [computer.MISSING]
    if not parts().has(PART):
        found.append(Lack("no kernel for arm64 is installed", support.command(profile)))
    return tuple(found)


def refusal(profile: Profile) -> str:
    """As for a board; the kernel is for 64 bits."""
    reason = support.refusal(profile)
    core = core_of(profile)
    if not reason and core is not None and core.arch != "arm64":
        return f"{profile.name} has 32 bits; a whole computer is emulated with 64"
    return reason


def open_system(choice: DeviceChoice) -> SystemDevice:
    """
    The device ``run = "emulate-system"``; starts nothing.

    Raises EdgeBudgetError for a profile or a runtime that cannot be emulated.
    """
    if reason := refusal(choice.profile):
        raise EdgeBudgetError(f'run = "emulate-system": {reason}')
    open_emulated(choice)
    return SystemDevice(choice, parts())


def _lacks(choice: DeviceChoice) -> Sequence[Lack]:
    return (*support.lacks(choice, parts()), *_missing(choice.profile))


def _install(profile: Profile, say: Callable[[str], None]) -> str:
    """Only where QEMU for whole computers is there: few need it."""
    place = parts()
    if shutil.which(computer.PROGRAM) is None:
        return f'run = "emulate-system" is left out: {computer.MISSING.command} first'
    with place.locked(say):
        install_kernel(place, say)
        place.note(profile.name, {*place.needed().get(profile.name, ()), PART})
    return f'{profile.name} can be booted (run = "emulate-system", experimental)'


WAY = Way(
    name="emulate-system",
    help="As emulate, with memory by a whole emulated computer with Linux (experimental).",
    open=open_system,
    refusal=refusal,
    lacks=_lacks,
    install=_install,
)
