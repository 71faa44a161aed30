"""CPU cores that can be emulated: what QEMU calls them, and how Linux describes them."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.types import Profile, Unit
from pytest_edgebudget.units import parse

_TABLE = Path(__file__).with_name("cores.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """
    One row of ``cores.toml``.

    Attributes:
        name: as profiles write it: "Cortex-A72".
        arch: Debian's name of the architecture: "arm64" or "armhf".
        cpu: what QEMU calls it.
        part, variant, revision, architecture, features: fields of ``/proc/cpuinfo``.
        l1d, l1i, l2, l3: bytes of the caches; *l3* is 0 where there is none.
        l2_shared: whether all cores share the second level.
    """

    name: str
    arch: str
    cpu: str
    part: str
    variant: str
    revision: int
    features: str
    l1d: int
    l1i: int
    l2: int
    l2_shared: bool = True
    l3: int = 0
    architecture: str = "8"


@functools.cache
def cores() -> Mapping[str, Core]:
    """All of them, by name."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return {name: _core(name, row) for name, row in table.items()}


def _core(name: str, row: dict[str, str | int | bool]) -> Core:
    caches = {key: int(parse(row[key], Unit.BYTES)) for key in _CACHES if key in row}
    rest = {key: value for key, value in row.items() if key not in (*_CACHES, "source")}
    return Core(name=name, **rest, **caches)  # type: ignore[arg-type]


_CACHES = ("l1d", "l1i", "l2", "l3")


def core_of(profile: Profile) -> Core | None:
    """The core of a profile's CPU; None where QEMU has no model of it."""
    return cores().get(profile.cpu)
