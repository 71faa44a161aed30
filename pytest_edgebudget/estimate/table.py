"""The shipped table: fitted costs, groups, bands and powers, read once, without numpy."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import EdgeBudgetError

PATH = Path(__file__).parent / "published" / "table.json"


@dataclass(frozen=True, slots=True)
class Effects:
    """See `fit.Fitted`."""

    base: tuple[float, ...]
    scale: float
    effects: Mapping[tuple[int, str], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one device, runtime and version, threads and precision; *clock* in Hz."""

    name: str
    domain: str
    pool: str
    device: str
    core: str
    runtime: str
    version: str
    threads: str
    precision: str
    clock: float | None
    models: int
    families: int

    @property
    def row(self) -> Mapping[str, str]:
        """As a row of ``latency.csv``."""
        return {
            "device": self.device,
            "core": self.core,
            "runtime": self.runtime,
            "runtime_version": self.version,
            "threads": self.threads,
            "precision": self.precision,
            "group": self.name,
        }


@dataclass(frozen=True, slots=True)
class Band:
    """
    How wrong a pool's estimates are for families that were not fitted.

    *half_width*: logarithm of high over median, of 80 %. *smallest*, *largest*:
    work (sum of features times prior costs) of the models seen; *seen*: features.
    *elsewhere*: the logarithm that a device adds of which no row tells, where others
    with its core do ("device"), or only under runtimes that are not kin ("runtime").
    """

    half_width: float
    median_error: float
    elsewhere: Mapping[str, float]
    rows: int
    smallest: float
    largest: float
    seen: frozenset[str]


@dataclass(frozen=True, slots=True)
class Power:
    """Watts while a model runs, and the logarithm of how far one model is from them."""

    device: str
    runtime: str
    version: str
    watts: float
    spread: float
    rows: int


@dataclass(frozen=True, slots=True)
class Table:
    """All that was fitted."""

    fits: Mapping[str, tuple[Effects, ...]]
    groups: tuple[Group, ...]
    bands: Mapping[str, Band]
    powers: tuple[Power, ...]


@functools.cache
def shipped(path: Path = PATH) -> Table:
    """
    The table of the package.

    Raises:
        EdgeBudgetError: it is missing or damaged.
    """
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EdgeBudgetError(
            f"{path}: the table of estimates is damaged: {error!r}", "install the package again"
        ) from None


def parse(found: Mapping[str, Any]) -> Table:
    """A table from JSON. Raises KeyError, TypeError or ValueError where it is not one."""
    domains: Mapping[str, Any] = found["domains"]
    return Table(
        fits={name: tuple(_effects(f) for f in each["fits"]) for name, each in domains.items()},
        groups=tuple(
            _group(name, domain, values)
            for domain, each in domains.items()
            for name, values in each["groups"].items()
        ),
        bands={
            pool: Band(**{**values, "seen": frozenset(values["seen"])})
            for each in domains.values()
            for pool, values in each["bands"].items()
        },
        powers=tuple(_power(key, values) for key, values in found["powers"].items()),
    )


def _effects(found: Mapping[str, Any]) -> Effects:
    return Effects(
        tuple(found["base"]),
        found["scale"],
        {
            (int(level), name): tuple(values)
            for level, each in found["effects"].items()
            for name, values in each.items()
        },
    )


def _group(name: str, domain: str, values: Mapping[str, Any]) -> Group:
    rest = {k: v for k, v in values.items() if k not in ("runtime_version", "clock_mhz")}
    version, clock = values["runtime_version"], values["clock_mhz"]
    hertz = float(clock) * 1e6 if clock else None
    return Group(name=name, domain=domain, version=version, clock=hertz, **rest)


def _power(key: str, values: Mapping[str, Any]) -> Power:
    device, runtime, version = key.split("|")
    return Power(device, runtime, version, **values)


def of_device(table: Table, devices: Sequence[str]) -> tuple[Group, ...]:
    """The groups of some devices."""
    return tuple(group for group in table.groups if group.device in devices)
