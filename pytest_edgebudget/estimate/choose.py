"""Which published groups stand for a device, and how far from it they are."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from pytest_edgebudget.estimate.boards import DEVICES, RUNTIMES
from pytest_edgebudget.estimate.pools import LEVELS, PRIORS, level_names
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


def choose(table: Table, asked: Asked) -> Choice | None:
    """The nearest published group: of the device, else of its core; None without either."""
    found = [group for group in table.groups if _fits(group, asked, table)]
    if not found:
        return None
    best = min(found, key=lambda group: _distance(group, asked))
    return _choice(best, asked)


def _fits(group: Group, asked: Asked, table: Table) -> bool:
    if group.runtime not in RUNTIMES.get(asked.runtime, ()):
        return False
    if (group.precision == "int8") != (asked.precision == "int8"):
        return False
    if asked.device and group.device == asked.device:
        return True
    # Of a core that others were measured on, the runtime's effect is that on other cores.
    # What ncnn does on a core tells too little of other runtimes, though they are fitted together.
    cpu = asked.profile.cpu
    return any(other.core == cpu and _alike(other, group) for other in table.groups)


def _alike(one: Group, other: Group) -> bool:
    return one.domain == other.domain and (one.runtime == "ncnn") == (other.runtime == "ncnn")


def _distance(group: Group, asked: Asked) -> tuple[object, ...]:
    threads = float(group.threads) if group.threads else 0.5
    return (
        group.device != asked.device,
        group.core != asked.profile.cpu,
        RUNTIMES[asked.runtime].index(group.runtime),
        abs(math.log(threads / asked.threads)),
        [-part for part in _version(group.version)],
        group.precision != asked.precision,
        -group.models,
        group.name,
    )


def _version(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text)][:2] or [0]


def _choice(group: Group, asked: Asked) -> Choice:
    row = dict(group.row, threads=str(asked.threads))
    missing: list[str] = []
    notes: list[str] = []
    if group.device != asked.device:
        row.update(device=asked.device, core=asked.profile.cpu)
        missing += ["device", "group"]
        notes.append(f"no row of this device: from {group.device} ({group.core})")
        if group.core != asked.profile.cpu:
            missing.append("core")
            notes.append(f"no row of {group.runtime} on {asked.profile.cpu}")
    if group.threads != str(asked.threads):
        missing += ["group", "threads"]
        notes.append(f"no row with {asked.threads} threads: nearest is {group.threads or '?'}")
    if RUNTIMES[asked.runtime][0] != group.runtime:
        missing.append("runtime")
        notes.append(f"no row of {RUNTIMES[asked.runtime][0]}: from {group.runtime}")
    if group.precision not in (asked.precision, "int8", "fp_default"):
        missing.append("precision")
        notes.append(f"no row in {asked.precision}: from {group.precision}")
    names = level_names(row, group.pool)
    widen, slower = _off(group.domain, missing), _slower(group, asked)
    return Choice(group, _shared(names, missing), widen, slower, tuple(notes))


def _slower(group: Group, asked: Asked) -> float:
    clock = asked.profile.clock_hz
    if group.device == asked.device or not clock or not group.clock:
        return 1.0
    return group.clock / clock


def _shared(names: tuple[str, ...], missing: list[str]) -> tuple[str | None, ...]:
    lost = "group" if "group" in missing else ""
    return tuple(None if LEVELS[i] == lost else name for i, name in enumerate(names))


def _off(domain: str, missing: list[str]) -> float:
    scales = PRIORS[domain].scale
    return _NORMAL * math.sqrt(sum(scales[level] ** 2 for level in set(missing)))
