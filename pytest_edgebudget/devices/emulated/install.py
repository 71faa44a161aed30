"""Everything that a board needs to be emulated, installed and removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable

from pytest_edgebudget.devices.debian import BOOKWORM, Archive
from pytest_edgebudget.devices.emulated import counter, support
from pytest_edgebudget.devices.emulated.bench import started
from pytest_edgebudget.devices.emulated.board import open_board
from pytest_edgebudget.devices.emulated.cores import Core, core_of
from pytest_edgebudget.devices.emulated.description import forget_boards
from pytest_edgebudget.devices.emulated.parts import Parts
from pytest_edgebudget.devices.emulated.qemu import install_qemu, machine_qemu, qemu_part
from pytest_edgebudget.devices.emulated.root import install_root, root_part
from pytest_edgebudget.devices.emulated.wheels import install_wheel, needs
from pytest_edgebudget.devices.runtimes import by_default
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.types import Profile, Unit
from pytest_edgebudget.units import format_value

Say = Callable[[str], None]


def install(profile: Profile, say: Say, place: Parts, archive: Archive = BOOKWORM) -> str:
    """
    Install what emulates a board, and try it; returns a sentence about it.

    Goes on where an earlier install was ended. Raises EdgeBudgetError where
    the board cannot be emulated, or something cannot be had.
    """
    if reason := support.refusal(profile):
        raise EdgeBudgetError(reason)
    core = core_of(profile)
    assert core is not None
    with place.locked(say):
        names = _bring(profile, core, say, place, archive)
        place.note(profile.name, names)
    size = format_value(float(_size(place, names)), Unit.BYTES)
    try_board(profile, core, say, place)
    return f'{profile.name} can be emulated (run = "emulate"): {size} in {place.folder}'


def _bring(
    profile: Profile, core: Core, say: Say, place: Parts, archive: Archive
) -> tuple[str, ...]:
    """Make the parts that are not there; returns all that the board needs."""
    install_root(place, core.arch, say, archive)
    names = {root_part(core.arch)}
    for runtime in support.runtimes(profile, core):
        for distribution in needs(runtime, core.arch):
            names.add(install_wheel(place, runtime, distribution, core.arch, say))
    mine = machine_qemu(core.arch)
    if mine is None or not mine.counts:
        install_qemu(place, say, archive)
        names.add(qemu_part())
    if counter.find_compiler():
        counter.install_counter(place)
        names.add(counter.counter_part())
    else:
        say(f"no C compiler: instructions will not be counted ({counter.INSTALL})")
    return tuple(sorted(names))


def try_board(profile: Profile, core: Core, say: Say, place: Parts) -> None:
    """Start each runtime once: it works then, and Python has compiled what it imports."""
    for runtime in by_default(support.runtimes(profile, core)):
        say(f"trying {runtime} on it")
        with started(open_board(profile, place, runtime), runtime, 1):
            pass


def uninstall(profile: Profile, say: Say, place: Parts) -> str:
    """Remove what no other board needs; returns a sentence about it."""
    if profile.name not in place.needed():
        return f"{profile.name} is not installed"
    with place.locked(say):
        names = place.forget(profile.name)
        size = format_value(float(_size(place, names)), Unit.BYTES)
        place.remove(names)
        forget_boards(place.boards, profile.name)
        if not place.names():
            for left in (place.downloads, place.bytecode, place.boards):
                shutil.rmtree(left, ignore_errors=True)
    kept = ", ".join(place.needed())
    rest = f"; what {kept} need stays" if kept else ""
    return f"{profile.name} is removed: {size}{rest}"


def _size(place: Parts, names: Iterable[str]) -> int:
    return sum(place.size(name) for name in names)
