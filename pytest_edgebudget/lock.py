"""
The lock: what was chosen and read, beside the budget file, made for review.

``budgets/pi4.lock.json`` belongs to ``budgets/pi4.toml``. It is sorted, one
line a reading, so that a diff shows what changed and nothing else.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.types import Evidence, Reading

VERSION = 1


@dataclass(frozen=True, slots=True)
class LockEntry:
    """One model's chosen *recipe*, the *artifact*'s SHA-256, and its *readings* by name."""

    recipe: str
    artifact: str
    readings: Mapping[str, Reading]


@dataclass(frozen=True, slots=True)
class Lock:
    """The lock of one budget file."""

    path: Path
    entries: Mapping[str, LockEntry] = field(default_factory=dict)


def lock_path(budget: Path) -> Path:
    """Where the lock of a budget file is."""
    return budget.with_suffix(".lock.json")


def read_lock(budget: Path) -> Lock:
    """
    The lock beside *budget*; an empty one when there is none.

    Raises `ModelError` when the file is damaged: a lock is reviewed and
    committed, so a wrong one is an error and never ignored.
    """
    path = lock_path(budget)
    if not path.exists():
        return Lock(path)
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["version"] != VERSION:
            raise ModelError(
                f"{path}: lock version {data['version']}, this is version {VERSION}",
                "delete it and run --edge-budget-update",
            )
        return Lock(path, {name: _entry(entry) for name, entry in data["models"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path}: not a lock file ({type(error).__name__}: {error})",
            "restore it from version control, or delete it and run --edge-budget-update",
        ) from error


def write_lock(lock: Lock, updates: Mapping[str, LockEntry], models: frozenset[str]) -> bool:
    """
    Merge *updates* into the file; entries of models not in *models* go.

    Returns whether the file changed. Written by rename, so that a kill leaves
    the old lock or the new one.
    """
    entries = {name: entry for name, entry in lock.entries.items() if name in models}
    entries.update(updates)
    text = _render(entries)
    if lock.path.exists() and lock.path.read_text("utf-8") == text:
        return False
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=lock.path.parent, prefix=".lock-", delete=False
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(lock.path)
    lock.path.chmod(0o644)
    return True


def entry_to_plain(entry: LockEntry) -> dict[str, Any]:
    """An entry in plain types, for JSON and for the way between processes."""
    return {
        "recipe": entry.recipe,
        "artifact": entry.artifact,
        "readings": {name: _plain(entry.readings[name]) for name in sorted(entry.readings)},
    }


def entry_from_plain(data: Mapping[str, Any]) -> LockEntry:
    """The reverse of `entry_to_plain`."""
    return _entry(data)


def _plain(reading: Reading) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "value": _number(reading.value),
        "evidence": reading.evidence.value,
    }
    if reading.noisy:
        plain |= {"low": _number(reading.low), "high": _number(reading.high), "noisy": True}
    return plain | {"key": dict(reading.key)}


def _number(value: float) -> float | int | str:
    if not math.isfinite(value):
        return str(value)  # JSON has no infinity; float() reads it back
    return int(value) if float(value).is_integer() else value


def _entry(data: Mapping[str, Any]) -> LockEntry:
    readings = {name: _from_plain(name, reading) for name, reading in data["readings"].items()}
    return LockEntry(str(data["recipe"]), str(data["artifact"]), readings)


def _from_plain(name: str, data: Mapping[str, Any]) -> Reading:
    value = float(data["value"])
    return Reading(
        metric=name,
        value=value,
        low=float(data.get("low", value)),
        high=float(data.get("high", value)),
        evidence=Evidence(data["evidence"]),
        noisy=bool(data.get("noisy", False)),
        key=tuple(sorted((str(k), str(v)) for k, v in data["key"].items())),
    )


def _render(entries: Mapping[str, LockEntry]) -> str:
    lines = ["{", f'  "version": {VERSION},', '  "models": {']
    blocks = [_render_entry(name, entries[name]) for name in sorted(entries)]
    lines += [",\n".join(blocks)] if blocks else []
    return "\n".join([*lines, "  }", "}"]) + "\n"


def _render_entry(name: str, entry: LockEntry) -> str:
    plain = entry_to_plain(entry)
    readings = ",\n".join(
        f"        {json.dumps(metric)}: {json.dumps(reading)}"
        for metric, reading in plain["readings"].items()
    )
    return (
        f"    {json.dumps(name)}: {{\n"
        f'      "recipe": {json.dumps(entry.recipe)},\n'
        f'      "artifact": {json.dumps(entry.artifact)},\n'
        f'      "readings": {{\n{readings}\n      }}\n    }}'
    )
