"""Which boards can be emulated with which runtimes, and what is missing here for it."""

from __future__ import annotations

from pytest_edgebudget.devices.base import Lack
from pytest_edgebudget.devices.emulated import counter
from pytest_edgebudget.devices.emulated.cores import Core, core_of, cores
from pytest_edgebudget.devices.emulated.parts import Parts
from pytest_edgebudget.devices.emulated.qemu import PROGRAMS, find_qemu
from pytest_edgebudget.devices.emulated.root import root_part
from pytest_edgebudget.devices.emulated.wheels import needs, wheel_part
from pytest_edgebudget.devices.runtimes import RUNTIMES, by_default
from pytest_edgebudget.types import DeviceChoice, Profile

THERE = {"arm64": ("litert", "onnxruntime", "tflite-runtime"), "armhf": ("tflite-runtime",)}
"""The runtimes that PyPI has for each architecture's Linux."""


def command(profile: Profile) -> str:
    """What installs a board."""
    return f"edgebudget devices install {profile.name}"


def refusal(profile: Profile) -> str:
    """Why a board cannot be emulated; empty where it can."""
    core = core_of(profile)
    if core is None:
        has = f"a {profile.cpu}" if profile.cpu else "no CPU that its profile names"
        return f"{profile.name} has {has}; QEMU's programs run those of {', '.join(cores())}"
    if not runtimes(profile, core):
        return f"{' and '.join(profile.runtimes)} cannot be had for {core.arch} Linux"
    return ""


def runtimes(profile: Profile, core: Core) -> tuple[str, ...]:
    """The profile's runtimes that can be had for its architecture."""
    return tuple(name for name in profile.runtimes if name in THERE[core.arch])


def has_runtime(place: Parts, runtime: str, arch: str) -> bool:
    """Whether a runtime and all that it needs are installed."""
    return all(wheel_part(place, runtime, name, arch) for name in needs(runtime, arch))


def lacks(choice: DeviceChoice, place: Parts) -> tuple[Lack, ...]:
    """What is missing to emulate a board with the runtime that was chosen."""
    core = core_of(choice.profile)
    if core is None:
        return ()
    if not place.has(root_part(core.arch)):
        return (Lack(f"no {core.arch} Linux is installed", command(choice.profile)),)
    found = [] if find_qemu(core.arch, place) else [no_qemu(choice.profile, core)]
    chosen = (choice.runtime,) if choice.runtime else runtimes(choice.profile, core)
    for name in by_default(chosen):
        if not has_runtime(place, name, core.arch):
            what = f"{RUNTIMES[name].distribution} for {core.arch} is not installed"
            found.append(Lack(what, command(choice.profile)))
    if not place.has(counter.counter_part()):
        found.append(no_counter(choice.profile))
    return tuple(found)


def no_qemu(profile: Profile, core: Core) -> Lack:
    """What is missing where there is no emulator."""
    return Lack(f"{PROGRAMS[core.arch]} is not installed", command(profile))


def no_counter(profile: Profile) -> Lack:
    """What is missing where the counter was not compiled."""
    get = "" if counter.find_compiler() else f"{counter.INSTALL} && "
    return Lack("the instruction counter is not compiled", get + command(profile))
