"""Which published groups stand for a device, and how far from it they are."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pytest_edgebudget.estimate.boards import DEVICES, published_runtimes
from pytest_edgebudget.estimate.pools import LEVELS, PRIORS, kin, level_names
from pytest_edgebudget.estimate.table import Group, Table
from pytest_edgebudget.types import Profile

_NORMAL = 1.2816
"""Standard deviations from the middle of a normal distribution that hold 80 %."""


@dataclass(frozen=True, slots=True)
class Choice:
    """
    A published group and what it shares with what is asked.

    *names*: by level, None where nothing is shared. *slower*: by how much its clock
    is behind that of the group. *widen*: logarithm by which the speed of what was
    not published may be off. *notes*: what was not.
    """

    group: Group
    names: tuple[str | None, ...]
    widen: float
    slower: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an estimate is wanted for."""

    profile: Profile
    runtime: str
    threads: int
    precision: str

    @property
    def device(self) -> str:
        """The published name of the profile's device; "" where there is none."""
        return DEVICES.get(self.profile.name, "")

    @property
    def runtimes(self) -> tuple[str, ...]:
        """The published names of the runtime, the likeliest first."""
        return published_runtimes(self.runtime, self.profile.accelerator)


def choose(table: Table, asked: Asked) -> Choice | None:
    """The nearest published group: of the device, else of its core; None without either."""
    found = [group for group in table.groups if _fits(group, asked, table)]
    if not found:
        return None
    best = min(found, key=lambda group: _distance(group, asked))
    return _choice(best, asked, table)


def _fits(group: Group, asked: Asked, table: Table) -> bool:
    if group.runtime not in asked.runtimes:
        return False
    if (group.precision == "int8") != (asked.precision == "int8"):
        return False
    if asked.device and group.device == asked.device:
        return True
    if asked.profile.accelerator:
        return False
    # Of a core that others were measured on, the runtime's effect is that on other cores.
    cpu, known = asked.profile.cpu, table.bands[group.pool].elsewhere
    on_it = [o for o in table.groups if o.core == cpu and o.domain == group.domain]
    if any(kin(other.runtime, group.runtime) for other in on_it):
        return "device" in known
    return bool(on_it) and "runtime" in known


def _distance(group: Group, asked: Asked) -> tuple[object, ...]:
    threads = float(group.threads) if group.threads else 0.5
    return (
        group.device != asked.device,
        group.core != asked.profile.cpu,
        _place(group.runtime, asked.runtimes),
        abs(math.log(threads / asked.threads)),
        [-part for part in _version(group.version)],
        group.precision != asked.precision,
        -group.models,
        group.name,
    )


def _place(runtime: str, likely: Sequence[str]) -> int:
    return likely.index(runtime) if runtime in likely else len(likely)


def _version(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text)][:2] or [0]


def _choice(group: Group, asked: Asked, table: Table) -> Choice:
    threads = group.threads if asked.profile.accelerator else str(asked.threads)
    row = dict(group.row, threads=threads)
    missing: list[str] = []
    notes: list[str] = []
    slower, elsewhere = 1.0, 0.0
    if group.device != asked.device:
        row.update(device=asked.device, core=asked.profile.cpu)
        missing.append("group")
        notes.append(f"no row of this device: from {group.device} ({group.core})")
        if group.core != asked.profile.cpu:
            notes.append(f"no row of {group.runtime} on {asked.profile.cpu}")
        elsewhere, slower = _elsewhere(group, asked, table)
    if group.threads != threads:
        missing += ["group", "threads"]
        notes.append(f"no row with {asked.threads} threads: nearest is {group.threads or '?'}")
    if asked.runtimes[0] != group.runtime:
        missing.append("runtime")
        notes.append(f"no row of {asked.runtimes[0]}: from {group.runtime}")
    if group.precision not in (asked.precision, "int8", "fp_default"):
        missing.append("precision")
        notes.append(f"no row in {asked.precision}: from {group.precision}")
    names = level_names(row, group.pool)
    if elsewhere:  # it has what a group adds in it
        widen = math.hypot(elsewhere, _off(group.domain, set(missing) - {"group"}))
    else:
        widen = _off(group.domain, set(missing))
    return Choice(group, _shared(names, missing), widen, slower, tuple(notes))


def _elsewhere(group: Group, asked: Asked, table: Table) -> tuple[float, float]:
    """What a device without rows adds to the band, and by how much its clock is behind."""
    cpu, known = asked.profile.cpu, table.bands[group.pool].elsewhere
    near = [
        other
        for other in table.groups
        if (other.core, other.domain) == (cpu, group.domain) and kin(other.runtime, group.runtime)
    ]
    if not near:
        return known["runtime"], 1.0
    clock, theirs = asked.profile.clock_hz, min(near, key=lambda g: _distance(g, asked)).clock
    return known["device"], theirs / clock if clock and theirs else 1.0


def _shared(names: tuple[str, ...], missing: list[str]) -> tuple[str | None, ...]:
    lost = "group" if "group" in missing else ""
    return tuple(None if LEVELS[i] == lost else name for i, name in enumerate(names))


def _off(domain: str, missing: Collection[str]) -> float:
    scales = PRIORS[domain].scale
    return _NORMAL * math.sqrt(sum(scales[level] ** 2 for level in missing))
