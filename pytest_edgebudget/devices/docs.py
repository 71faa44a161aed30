"""
The tables of ``docs/profiles.md``: generated from the reader, the profiles and the constraints.

``python -m pytest_edgebudget.devices.docs docs/profiles.md`` writes them anew
between their markers; a test fails when they are stale.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from pytest_edgebudget.devices.constraints import Table, table_of
from pytest_edgebudget.devices.constraints.names import TABLES
from pytest_edgebudget.devices.profile import load_profile, profiles
from pytest_edgebudget.devices.profile_keys import KEYS, MEMORY_KEYS, PUBLISHED_KEYS, Key
from pytest_edgebudget.types import Profile, Unit
from pytest_edgebudget.units import format_value


def render(page: str) -> str:
    """*page* with its tables as they are now."""
    tables = {
        "keys": _keys(KEYS),
        "memory": _keys(MEMORY_KEYS),
        "published": _keys(PUBLISHED_KEYS),
        "profiles": _profiles(),
        "constraints": "\n".join(_constraints()),
    }
    for name, table in tables.items():
        begin, end = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->\n"
        before, _, rest = page.partition(begin)
        page = before + begin + table + end + rest.partition(end)[2]
    return page


def _keys(keys: Iterable[Key]) -> str:
    rows = [(f"`{key.name}`", _help(key), f"`{key.example}`") for key in keys]
    return _markdown(("key", "what it says", "example"), rows)


def _help(key: Key) -> str:
    choices = f" One of {', '.join(f'`{word}`' for word in key.choices)}." if key.choices else ""
    return key.help + choices + (" Required." if key.required else "")


def _profiles() -> str:
    rows = [_profile(load_profile(path)) for path in profiles().values()]
    header = ("profile", "device", "runtimes", "CPU", "memory", "accelerator, kernels", "runs")
    return _markdown(header, rows)


def _profile(profile: Profile) -> tuple[str, ...]:
    extras = [word for word in (profile.accelerator, profile.kernels) if word]
    return (
        f"`{profile.name}`",
        profile.title,
        ", ".join(profile.runtimes),
        _cpu(profile),
        _memory(profile),
        ", ".join(extras),
        profile.default_run,
    )


def _cpu(profile: Profile) -> str:
    cores = f"{profile.cores} x " if (profile.cores or 1) > 1 else ""
    clock = f", {profile.clock_hz / 1e6:g} MHz" if profile.clock_hz else ""
    if profile.luts:
        return f"{profile.luts:,} LUTs, {profile.flip_flops or 0:,} FFs, {profile.dsps or 0} DSPs"
    return f"{cores}{profile.cpu}{clock}"


def _memory(profile: Profile) -> str:
    pieces = [
        f"{format_value(size, Unit.BYTES)} {kind}"
        for kind in ("ram", "flash")
        if (size := profile.largest(kind)) is not None
    ]
    return ", ".join(pieces)


def _constraints() -> Iterable[str]:
    for name in dict.fromkeys(TABLES.values()):
        table = table_of(next(key for key, file in TABLES.items() if file == name))
        assert table is not None
        yield _table(table, [key for key, file in TABLES.items() if file == name])


def _table(table: Table, names: list[str]) -> str:
    ops = ", ".join(sorted(table.ops | table.custom))
    rows = [
        (_ops(each.ops, each.without), each.message, each.instead) for each in table.constraints
    ]
    return (
        f"### {table.title[0].upper()}{table.title[1:]}\n\n"
        f"For {', '.join(f'`{name}`' for name in names)}. Sources: {'; '.join(table.sources)}.\n\n"
        f"{len(table.ops | table.custom)} operators: {ops}.\n\n"
        + _markdown(("operators", "condition", "instead"), rows)
    )


def _ops(ops: frozenset[str], without: frozenset[str]) -> str:
    if ops:
        return ", ".join(sorted(ops))
    return f"all but {', '.join(sorted(without))}" if without else "all"


def _markdown(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines
    )


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")
