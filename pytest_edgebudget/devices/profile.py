"""Profiles: the facts about kinds of devices, as TOML files."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_edgebudget.devices.profile_calibrations import read_calibrations
from pytest_edgebudget.devices.profile_keys import KEYS, MEMORY_KEYS, PUBLISHED_KEYS, Key
from pytest_edgebudget.devices.profile_values import Facts
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.errors import BudgetError, EdgeBudgetError
from pytest_edgebudget.types import Profile, Published, Region, Unit
from pytest_edgebudget.units import parse_capacity, parse_power

_BUDGET = frozenset({"device", "extends", "groups", "models"})
_FOLDER = Path(__file__).parent / "profiles"


def profiles() -> Mapping[str, Path]:
    """The built-in profiles, by name."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.toml"))}


def profile_named(name: str) -> Profile:
    """
    A built-in profile by its name, or the one in a TOML file.

    Raises EdgeBudgetError when there is none, and for a file that is wrong:
    all its mistakes.
    """
    known = profiles()
    if name in known:
        return load_profile(known[name])
    if name.endswith(".toml") or os.sep in name:
        try:
            return load_profile(Path(name))
        except BudgetError as error:
            mistakes = "\n  ".join(str(mistake) for mistake in error.mistakes)
            raise EdgeBudgetError(f"{name}: not a profile that can be used", mistakes) from error
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}; or a .toml file"
    raise EdgeBudgetError(f"there is no profile {name!r}", hint)


def load_profile(path: Path) -> Profile:
    """
    Read a profile; its name is the file's.

    Raises BudgetError with all its mistakes, each with its line, and
    EdgeBudgetError for a file that cannot be read.
    """
    text, table = _table(path)
    if "runtimes" not in table and _BUDGET & table.keys():
        raise EdgeBudgetError(
            f"{path}: this is a budget file, not a profile of a device",
            "its [device] names the profile that it is for",
        )
    tables, published = table.pop("memory", []), table.pop("published", [])
    calibrations = table.pop("calibration", [])
    facts = Facts(path, text, "", table, KEYS)
    profile = Profile(
        name=path.stem,
        title=facts.text("title") or path.stem,
        runtimes=_runtimes(facts),
        cpu=facts.text("cpu"),
        cores=facts.count("cores"),
        clock_hz=facts.hertz("clock"),
        ram=facts.bytes("ram"),
        luts=facts.count("luts"),
        flip_flops=facts.count("flip_flops"),
        dsps=facts.count("dsps"),
        block_ram=facts.bytes("block_ram"),
        chip=facts.text("chip"),
        default_run=facts.text("default_run") or "host",
        sources=facts.sources("sources"),
        kernels=facts.text("kernels"),
        accelerator=_accelerator(facts),
        regions=_regions(facts, tables),
        published=_published(facts, published),
        calibrations=read_calibrations(facts, calibrations),
        idle_power=facts.parsed("idle_power", parse_power),
        battery=facts.parsed("battery", parse_capacity),
        vela_system=facts.text("vela_system"),
        vela_memory=facts.text("vela_memory"),
        vela_config=_vela_config(facts),
    )
    if facts.mistakes:
        raise BudgetError(sorted(facts.mistakes, key=lambda mistake: mistake.place.line))
    return profile


def _table(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise EdgeBudgetError(f"{path}: the profile cannot be read: {reason}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EdgeBudgetError(f"{path}: not TOML: {error}") from error


def _runtimes(facts: Facts) -> tuple[str, ...]:
    """One runtime a format, then the alternatives; what is wrong with them is noted."""
    chosen, others = facts.texts("runtimes"), facts.texts("alternatives")
    if not chosen and not facts.wrong("runtimes"):
        facts.note("runtimes", "is empty", f"known: {', '.join(RUNTIMES)}")
    for key, names in (("runtimes", chosen), ("alternatives", others)):
        for name in names:
            if name not in RUNTIMES:
                facts.unknown(key, f"there is no runtime {name!r}", name, RUNTIMES)
    taken: dict[str, str] = {}
    for name in chosen:
        for format_ in RUNTIMES[name].formats if name in RUNTIMES else ():
            first = taken.setdefault(format_, name)
            if first != name:
                facts.note(
                    "runtimes",
                    f"both {first} and {name} run .{format_} models, and a profile has one",
                    f'write alternatives = ["{name}"]',
                )
    return (*chosen, *others)


def _accelerator(facts: Facts) -> str:
    name = facts.text("accelerator")
    if name:
        from pytest_edgebudget.devices.constraints import accelerators

        known = accelerators()
        if name not in known:
            facts.unknown("accelerator", f"there is no accelerator {name!r}", name, known)
    return name


def _vela_config(facts: Facts) -> str:
    name = facts.text("vela_config")
    path = facts.path.parent / name
    if name and not (path.suffix == ".ini" and path.is_file()):
        facts.note(
            "vela_config", f"there is no configuration {name!r}", "name an .ini file of Vela"
        )
    return str(path.resolve()) if name else ""


def _parts(facts: Facts, header: str, tables: object, keys: Sequence[Key]) -> Iterator[Facts]:
    """The tables ``[[header]]`` one by one; what is wrong with each is noted after it was read."""
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        facts.note(header, "must be tables", f"write [[{header}]] above each")
        return
    for number, table in enumerate(tables):
        part = Facts(facts.path, facts.source, header, table, keys, number)
        yield part
        facts.mistakes.extend(part.mistakes)


def _published(facts: Facts, tables: object) -> tuple[Published, ...]:
    return tuple(
        Published(
            model=part.text("model"),
            latency=part.quantity("latency", Unit.SECONDS),
            energy=part.quantity("energy", Unit.JOULES),
            source=part.text("source"),
        )
        for part in _parts(facts, "published", tables, PUBLISHED_KEYS)
    )


def _regions(facts: Facts, tables: object) -> tuple[Region, ...]:
    regions = []
    for part in _parts(facts, "memory", tables, MEMORY_KEYS):
        region = (part.text("name"), part.text("kind"), part.bytes("size") or 0)
        regions.append(Region(*region, address=part.count("address")))
    if facts.text("ram") and any(region.kind == "ram" for region in regions):
        facts.note("ram", "there are regions of it, too", "write one of the two")
    return tuple(regions)
