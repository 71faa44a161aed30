"""The tables ``[[calibration]]`` of a profile: read as strictly as what people write."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from pytest_edgebudget.devices.profile_values import Facts
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.types import Calibration, KindCosts, Tile

PRECISIONS = ("fp32", "int8", "hybrid")
TERMS = (
    "op",
    "moved",
    "written",
    "macs",
    "ragged",
    "uneven",
    "tiles",
    "taps",
    "weights",
    "streamed",
    "far",
)
_TEXTS = frozenset({"runtime", "precision", "version", "cpu", "date", "power_domain"})
_COUNTS = frozenset({"threads", "micro_models", "models"})
_HINT = "edgebudget calibrate writes these tables"
_MOST = 1e4  # seconds, joules, errors: no fact is larger, a band that is has gone astray
_MACS = 1e15


class _Wrong(Exception):
    """A value that cannot be: what is wrong with it."""


def read_calibrations(facts: Facts, tables: object) -> tuple[Calibration, ...]:
    """The calibrations of a profile; what is wrong with them is noted in *facts*."""
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        facts.note("calibration", "must be tables", _HINT)
        return ()
    found = []
    for number, each in enumerate(tables, 1):
        try:
            found.append(_calibration(each))
        except _Wrong as error:
            facts.note("calibration", f"number {number}: {error}", _HINT)
            return ()
    return tuple(found)


def _calibration(table: Mapping[str, Any]) -> Calibration:
    known = {field.name: field for field in fields(Calibration)}
    for name in table:
        if name not in known:
            raise _Wrong(f"unknown key {name}")
    for name, field in known.items():
        if name not in table and field.default is MISSING:
            raise _Wrong(f"{name} is missing")
    values = {name: _value(name, value) for name, value in table.items()}
    if values["runtime"] not in RUNTIMES:
        raise _Wrong(f"there is no runtime {values['runtime']!r}")
    if values["precision"] not in PRECISIONS:
        raise _Wrong(f"precision must be one of {', '.join(PRECISIONS)}")
    return Calibration(**values)


def _value(name: str, value: object) -> Any:
    if name in _TEXTS:
        if not isinstance(value, str):
            raise _Wrong(f"{name} must be a string")
        return value
    if name == "notes":
        if not isinstance(value, list) or not all(isinstance(note, str) for note in value):
            raise _Wrong("notes must be a list of strings")
        return tuple(value)
    if name == "kinds":
        return _kinds(value)
    if name in _COUNTS:
        return _count(name, value)
    return _number(name, value, _MACS if name in ("smallest", "largest") else _MOST)


def _count(name: str, value: object, least: int = 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise _Wrong(f"{name} must be a whole number of at least {least}")
    return value


def _number(name: str, value: object, most: float = _MOST) -> float:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if not plain or not math.isfinite(float(value)) or not 0 <= float(value) <= most:  # type: ignore[arg-type]
        raise _Wrong(f"{name} must be a number from 0 to {most:g}, not {str(value)[:40]}")
    return float(value)  # type: ignore[arg-type]


def _kinds(value: object) -> Mapping[str, KindCosts]:
    if not isinstance(value, dict) or not value:
        raise _Wrong("kinds must be a table of tables")
    return {name: _costs(name, table) for name, table in value.items()}


def _costs(name: str, table: object) -> KindCosts:
    if not isinstance(table, dict):
        raise _Wrong(f"kinds.{name} must be a table")
    rest = dict(table)
    tile, cache = rest.pop("tile", [1, 1, 1]), rest.pop("cache", 0)
    if not isinstance(tile, list) or len(tile) != 3:
        raise _Wrong(f"kinds.{name}.tile must be three whole numbers")
    sides = [_count(f"kinds.{name}.tile", side) for side in tile]
    for term in rest:
        if term not in TERMS:
            raise _Wrong(f"kinds.{name}: unknown key {term}; known: {', '.join(TERMS)}")
    seconds = {term: _number(f"kinds.{name}.{term}", each) for term, each in rest.items()}
    return KindCosts(seconds, Tile(*sides), _count(f"kinds.{name}.cache", cache, 0))
