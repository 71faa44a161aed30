"""``run = "emulate"``: an ARM Linux board by QEMU's emulation of its instructions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_edgebudget.devices.base import Lack, Way
from pytest_edgebudget.devices.emulated import install, support
from pytest_edgebudget.devices.emulated.cores import core_of
from pytest_edgebudget.devices.emulated.device import EmulatedDevice
from pytest_edgebudget.devices.emulated.parts import parts
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.types import DeviceChoice, Profile


def open_emulated(choice: DeviceChoice) -> EmulatedDevice:
    """
    The device ``run = "emulate"``; starts nothing.

    Raises EdgeBudgetError for a profile or a runtime that cannot be emulated.
    """
    if reason := support.refusal(choice.profile):
        raise EdgeBudgetError(f'run = "emulate": {reason}')
    core = core_of(choice.profile)
    assert core is not None
    there = support.THERE[core.arch]
    if choice.runtime is not None and choice.runtime not in there:
        raise EdgeBudgetError(
            f"{choice.runtime!r} cannot be had for {core.arch} Linux", f"known: {', '.join(there)}"
        )
    if choice.delegate or choice.provider:
        raise EdgeBudgetError(
            'run = "emulate" has the CPU alone, and no delegate or provider',
            'leave it away, or run = "ssh://..." on the board',
        )
    return EmulatedDevice(choice, parts())


def _lacks(choice: DeviceChoice) -> Sequence[Lack]:
    return support.lacks(choice, parts())


def _install(profile: Profile, say: Callable[[str], None]) -> str:
    return install.install(profile, say, parts())


def _uninstall(profile: Profile, say: Callable[[str], None]) -> str:
    return install.uninstall(profile, say, parts())


WAY = Way(
    name="emulate",
    help="In QEMU: the board's own instructions and kernels, without its time and memory.",
    open=open_emulated,
    refusal=support.refusal,
    lacks=_lacks,
    install=_install,
    uninstall=_uninstall,
)
