"""Profiles: the facts about kinds of devices, as TOML files."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.types import Profile, Unit
from pytest_edgebudget.units import parse

_FOLDER = Path(__file__).parent / "profiles"
_KINDS: Mapping[str, type] = {
    "title": str,
    "runtimes": list,
    "cpu": str,
    "cores": int,
    "clock": str,
    "ram": str,
    "default_run": str,
    "sources": list,
}
_HERTZ = {"MHz": 1e6, "GHz": 1e9}


def profiles() -> Mapping[str, Path]:
    """The built-in profiles, by name."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.toml"))}


def load_profile(path: Path) -> Profile:
    """
    Read a profile; its name is the file's.

    Raises EdgeBudgetError, with the line where there is one.
    """
    table = _table(path)
    _check_keys(path, table)
    runtimes = tuple(table.get("runtimes", ()))
    if not runtimes:
        raise _wrong(path, "runtimes", "is empty", f"known: {', '.join(RUNTIMES)}")
    for name in runtimes:
        if name not in RUNTIMES:
            raise _wrong(path, "runtimes", f"there is no runtime {name!r}", _near(name, RUNTIMES))
    return Profile(
        name=path.stem,
        title=table.get("title", path.stem),
        runtimes=runtimes,
        cpu=table.get("cpu", ""),
        cores=table.get("cores"),
        clock_hz=_hertz(path, table["clock"]) if "clock" in table else None,
        ram=_bytes(path, table["ram"]) if "ram" in table else None,
        default_run=table.get("default_run", "host"),
        sources=tuple(table.get("sources", ())),
    )


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise EdgeBudgetError(f"{path}: the profile cannot be read: {reason}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EdgeBudgetError(f"{path}: not TOML: {error}") from error


def _check_keys(path: Path, table: Mapping[str, Any]) -> None:
    for key, value in table.items():
        if key not in _KINDS:
            raise _wrong(path, key, "unknown key", _near(key, _KINDS))
        kind = _KINDS[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise _wrong(path, key, f"must be a {_WORDS[kind]}, not {value!r}")
        if isinstance(value, list) and not all(isinstance(each, str) for each in value):
            raise _wrong(path, key, "must be a list of strings")
    if table.get("cores", 1) < 1:
        raise _wrong(path, "cores", "must be at least 1")


_WORDS = {str: "string", list: "list of strings", int: "whole number"}


def _near(name: object, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(str(name), known, 1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"


def _hertz(path: Path, text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(MHz|GHz)", text)
    if match is None:
        raise _wrong(path, "clock", f"{text!r} is not a frequency", 'write "1.5 GHz" or "600 MHz"')
    return float(match[1]) * _HERTZ[match[2]]


def _bytes(path: Path, text: str) -> int:
    try:
        return int(parse(text, Unit.BYTES))
    except ValueError as error:
        raise _wrong(path, "ram", str(error)) from error


def _wrong(path: Path, key: str, message: str, hint: str = "") -> EdgeBudgetError:
    return EdgeBudgetError(f"{path}:{_line(path, key)}: {key}: {message}", hint)


def _line(path: Path, key: str) -> int:
    """The line of a top-level key; 1 where it is not written."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]|\s*\[+{re.escape(key)}\b", line):
            return number
    return 1
