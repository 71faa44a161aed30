"""Readings to series: those of one limit that may be compared with each other."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_edgebudget.history.change_points import ChangePoint, change_points
from pytest_edgebudget.history.rows import HistoryRow
from pytest_edgebudget.verdict import MACHINE

BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """
    The readings of one limit under one key, in the order of their arrival.

    *values* are theirs; *changes* says where the level changed.
    """

    rows: tuple[HistoryRow, ...]
    values: tuple[float, ...]
    changes: tuple[ChangePoint, ...]

    @property
    def last(self) -> HistoryRow:
        """The latest reading."""
        return self.rows[-1]

    @property
    def name(self) -> str:
        """``budgets/pi4.toml::digits::latency``."""
        return f"{self.last.file}::{self.last.model}::{self.last.metric}"


def series_of(rows: Iterable[HistoryRow]) -> tuple[Series, ...]:
    """
    A series a limit and key, sorted by name, the latest key of a limit last.

    A reading of another key is never compared: it starts a series of its own.
    """
    groups: dict[tuple[str, ...], list[HistoryRow]] = {}
    for row in rows:
        if row.value is not None:
            groups.setdefault(group_of(row), []).append(row)
    found = [_series(group) for group in groups.values()]
    return tuple(sorted(found, key=lambda each: each.name))


def group_of(row: HistoryRow) -> tuple[str, ...]:
    """What readings of one series have in common."""
    key = json.loads(row.key)
    if not row.noisy:  # the result of a computation is the same on every machine
        key = {name: value for name, value in key.items() if name not in MACHINE}
    facts = json.dumps(key, sort_keys=True)
    return row.file, row.model, row.metric, row.unit, row.evidence, str(row.noisy), facts


def _series(rows: list[HistoryRow]) -> Series:
    values = tuple(row.value for row in rows if row.value is not None)
    changes = change_points(values, noisy=bool(rows[-1].noisy))
    return Series(rows=tuple(rows), values=values, changes=changes)


def sparkline(values: Iterable[float], width: int = 30) -> str:
    """The last *width* values as bars, the least of them the lowest."""
    shown = list(values)[-width:]
    low, high = min(shown, default=0.0), max(shown, default=0.0)
    if low == high:
        return BARS[3] * len(shown)
    scale = (len(BARS) - 1) / (high - low)
    return "".join(BARS[round((value - low) * scale)] for value in shown)
