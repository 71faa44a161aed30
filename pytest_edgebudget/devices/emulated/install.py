"""Everything that a board needs to be emulated, installed and removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence

from pytest_edgebudget.devices.base import Lack
from pytest_edgebudget.devices.debian import BOOKWORM, Archive
from pytest_edgebudget.devices.emulated.cores import Core, core_of, cores
from pytest_edgebudget.devices.emulated.counter import INSTALL as INSTALL_COMPILER
from pytest_edgebudget.devices.emulated.counter import counter_part, find_compiler, install_counter
from pytest_edgebudget.devices.emulated.description import forget_boards
from pytest_edgebudget.devices.emulated.parts import Parts, parts
from pytest_edgebudget.devices.emulated.qemu import find_qemu, missing
from pytest_edgebudget.devices.emulated.root import install_root, root_part
from pytest_edgebudget.devices.emulated.wheels import install_wheel, needs, wheel_part
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.types import DeviceChoice, Profile, Unit
from pytest_edgebudget.units import format_value

LINUX = ("litert", "onnxruntime", "tflite-runtime")
"""Runtimes of an ARM Linux with Python."""
ON_ARMHF = ("tflite-runtime",)
"""Those of them that PyPI has for 32-bit ARM."""
Say = Callable[[str], None]


def command(profile: Profile) -> str:
    """What installs it."""
    return f"edgebudget devices install {profile.name}"


def refusal(profile: Profile) -> str:
    """Why a board cannot be emulated; empty where it can."""
    core = core_of(profile)
    if core is None:
        known = ", ".join(cores())
        has = f"a {profile.cpu}" if profile.cpu else "no CPU that its profile names"
        return f"{profile.name} has {has}; QEMU's programs run those of {known}"
    if not runtimes(profile, core):
        return f"{' and '.join(profile.runtimes)} cannot be had for {core.arch} Linux"
    return ""


def runtimes(profile: Profile, core: Core) -> tuple[str, ...]:
    """The profile's runtimes that can be had for its architecture."""
    there = LINUX if core.arch == "arm64" else ON_ARMHF
    return tuple(name for name in profile.runtimes if name in there)


def install(
    profile: Profile, say: Say, place: Parts | None = None, archive: Archive = BOOKWORM
) -> str:
    """
    Install what emulates a board; returns a sentence about it.

    Goes on where an earlier install was ended. Raises EdgeBudgetError where
    the board cannot be emulated, or something cannot be had.
    """
    if reason := refusal(profile):
        raise EdgeBudgetError(reason)
    core, place = core_of(profile), place or parts()
    assert core is not None
    with place.locked(say):
        install_root(place, core.arch, say, archive)
        names = {root_part(core.arch)}
        for runtime in runtimes(profile, core):
            for distribution in needs(runtime, core.arch):
                names.add(install_wheel(place, runtime, distribution, core.arch, say))
        if find_compiler():
            install_counter(place)
            names.add(counter_part())
        else:
            say(f"no C compiler: instructions will not be counted ({INSTALL_COMPILER})")
        place.note(profile.name, sorted(names))
    return _done(profile, core, place, names)


def _first_of_each_format(names: Sequence[str]) -> tuple[str, ...]:
    """The runtimes that a budget file gets when it names none."""
    first = {fmt: name for name in reversed(names) for fmt in RUNTIMES[name].formats}
    return tuple(name for name in names if name in first.values())


def _done(profile: Profile, core: Core, place: Parts, names: set[str]) -> str:
    size = format_value(float(sum(place.size(name) for name in names)), Unit.BYTES)
    text = f'{profile.name} can be emulated (run = "emulate"): {size} in {place.folder}'
    if find_qemu(core.arch) is None:
        lack = missing(core.arch)
        text += f"\n{lack.what}: {lack.command}"
    return text


def uninstall(profile: Profile, say: Say, place: Parts | None = None) -> str:
    """Remove what no other board needs; returns a sentence about it."""
    place = place or parts()
    if profile.name not in place.needed():
        return f"{profile.name} is not installed"
    with place.locked(say):
        names = place.forget(profile.name)
        size = format_value(float(sum(place.size(name) for name in names)), Unit.BYTES)
        place.remove(names)
        forget_boards(place.boards, profile.name)
        if not place.names():
            shutil.rmtree(place.downloads, ignore_errors=True)
    kept = ", ".join(place.needed())
    rest = f"; what {kept} need stays" if kept else ""
    return f"{profile.name} is removed: {size}{rest}"


def lacks(choice: DeviceChoice, place: Parts | None = None) -> tuple[Lack, ...]:
    """What is missing to emulate a board with the runtime that was chosen."""
    core, place = core_of(choice.profile), place or parts()
    if core is None:
        return ()
    found = [] if find_qemu(core.arch) else [missing(core.arch)]
    if not place.has(root_part(core.arch)):
        found.append(Lack(f"no {core.arch} Linux is installed", command(choice.profile)))
        return tuple(found)
    by_default = _first_of_each_format(runtimes(choice.profile, core))
    for runtime in (choice.runtime,) if choice.runtime else by_default:
        if not has_runtime(place, runtime, core.arch):
            what = f"{RUNTIMES[runtime].distribution} for {core.arch} is not installed"
            found.append(Lack(what, command(choice.profile)))
    if not place.has(counter_part()):
        found.append(no_counter(choice.profile))
    return tuple(found)


def has_runtime(place: Parts, runtime: str, arch: str) -> bool:
    """Whether a runtime and all that it needs are installed."""
    return all(wheel_part(place, runtime, name, arch) for name in needs(runtime, arch))


def no_counter(profile: Profile) -> Lack:
    """What is missing where the counter was not compiled."""
    get = "" if find_compiler() else f"{INSTALL_COMPILER} && "
    return Lack("the instruction counter is not compiled", get + command(profile))
