"""Where a device runs: what a budget file says, and what the command line says instead."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from pytest_edgebudget.budget.mistakes import suggest
from pytest_edgebudget.devices.base import Way
from pytest_edgebudget.devices.ways import ADDRESSES, WAYS, way_named
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.types import Budget, DeviceChoice, Profile

EXAMPLE = "pi4=ssh://pi@pi4.local"


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why models cannot run so, and a *hint*; *unknown*: there is no such way at all."""

    message: str
    hint: str = ""
    unknown: bool = False


def wrong_run(run: str, profile: Profile, added: Mapping[str, Way]) -> Wrong | None:
    """What is wrong with ``run = "..."`` for a profile; None when nothing is."""
    name, scheme, address = run.partition("://")
    if name not in WAYS and name not in added:
        hint = suggest(name, [*WAYS, *added])
        return Wrong(f'there is no way to run called "{name}"', hint, unknown=True)
    if (name in ADDRESSES) != bool(scheme) and name not in added:
        said = f'run = "{run}" needs an address' if not scheme else f"{name} takes no address"
        return Wrong(said, _example(name))
    if scheme and not address:
        return Wrong(f'run = "{run}" names no device', _example(name))
    way = way_named(name, added)
    if refusal := way.refusal(profile):
        hint = f'write run = "{profile.default_run}", the default of {profile.name}'
        return Wrong(f'run = "{name}": {refusal}', hint)
    try:
        if way.check is not None:
            way.check(run)
    except EdgeBudgetError as error:
        return Wrong(error.message, error.hint)
    return None


def read_runs(texts: Iterable[str]) -> dict[str, str]:
    """
    ``NAME=URL`` of the command line; the last one of a name counts.

    Raises EdgeBudgetError for anything else.
    """
    found = {}
    for text in texts:
        name, equals, run = text.partition("=")
        if not (name and equals and run):
            raise EdgeBudgetError(
                f"{text!r} is not NAME=URL",
                f"such as {EXAMPLE}, or {EXAMPLE.partition('=')[0]}=host",
            )
        found[name] = run
    return found


def with_run(budget: Budget, runs: Mapping[str, str], added: Mapping[str, Way]) -> Budget:
    """
    *budget* where the command line wants it to run.

    By the name of its file, else of its profile. An interpreter that the file
    names for this machine is none of a board's, and the other way round.

    Raises EdgeBudgetError where its models cannot run so.
    """
    device = budget.device
    name = budget.path.stem if budget.path.stem in runs else device.profile.name
    run = runs.get(name)
    if run is None:
        return budget
    if wrong := wrong_run(run, device.profile, added):
        raise EdgeBudgetError(f"{name}={run}: {wrong.message}", wrong.hint)
    return replace(budget, device=_moved(device, run))


def unknown_runs(
    runs: Collection[str], budgets: Iterable[Budget], profiles: Collection[str]
) -> str:
    """What to say of names that are neither a budget file's nor a profile's; "" if all are."""
    names = {name for b in budgets for name in (b.path.stem, b.device.profile.name)}
    strange = [name for name in runs if name not in names and name not in profiles]
    if not strange:
        return ""
    known = ", ".join(sorted(names))
    return f"{strange[0]!r} is neither a budget file's name nor a profile's; here are: {known}"


def _moved(device: DeviceChoice, run: str) -> DeviceChoice:
    moved = replace(device, run=run)
    same = (moved.way in ADDRESSES) == (device.way in ADDRESSES)
    return moved if same else replace(moved, python=None)


def _example(name: str) -> str:
    if name in ADDRESSES:
        return f'write run = "{name}://..." with the address of the device'
    return f'write run = "{name}"'
