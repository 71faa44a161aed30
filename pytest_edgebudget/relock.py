"""Which models become a baseline at the end of a run, and their locks written."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Protocol

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.lock import Lock, LockEntry, write_lock
from pytest_edgebudget.recorder import Recorder
from pytest_edgebudget.types import Bound, Budget, Outcome, Reading, Verdict
from pytest_edgebudget.verdict import incomparable, with_bound


def write_locks(
    budgets: Mapping[Path, Budget],
    locks: Mapping[Path, Lock],
    recorder: Recorder,
    name: Callable[[Path], str],
    *,
    fill: bool,
) -> list[Path]:
    """
    Write what was chosen and read into the locks; returns the files that changed.

    *fill*: only what they lack is added.

    Only models whose limits all hold, those of their groups too, and in
    which the linter finds no error, are written: a broken run never becomes a baseline.
    """
    changed, merge = [], added if fill else updated
    for budget in budgets.values():
        file = name(budget.path)
        broken = _broken(budget, recorder, file)
        lock = locks[budget.path]
        updates = {
            model: merge(lock.entries.get(model), entry)
            for (where, model), entry in recorder.locks.items()
            if where == file and model not in broken
        }
        if not updates:
            continue
        models = frozenset(model.name for model in budget.models)
        try:
            if write_lock(lock, updates, models):
                changed.append(lock.path)
        except OSError as error:
            raise EdgeBudgetError(f"{name(lock.path)} was not written: {error}") from error
    return changed


def updated(old: LockEntry | None, new: LockEntry) -> LockEntry:
    """*new*, but for readings of the same artifact that differ by no more than noise."""
    if old is None or old.artifact != new.artifact:
        return new
    kept = {
        name: old.readings[name]
        for name, reading in new.readings.items()
        if name in old.readings and _same(old.readings[name], reading)
    }
    return replace(new, readings={**new.readings, **kept})


def added(old: LockEntry | None, new: LockEntry) -> LockEntry:
    """*old*, and readings of the same artifact that it has not."""
    if old is None:
        return new
    if old.artifact != new.artifact:
        return old
    return replace(old, readings={**new.readings, **old.readings})


def _same(old: Reading, new: Reading) -> bool:
    overlap = new.low <= old.high and old.low <= new.high
    return new.noisy and overlap and not incomparable(new, old)


def written_down(verdict: Verdict, locked: LockEntry | None, choices: Updating) -> Verdict:
    """
    *verdict*, broken where ``ratchet`` asks for an improvement to be written into the lock.

    An improvement is one when the intervals do not meet: luck does not become the bar.
    """
    limit, reading = verdict.limit, verdict.reading
    old = locked.readings.get(limit.name) if locked else None
    updating = choices.relock or choices.fill
    if not limit.ratchet or updating or reading is None or old is None:
        return verdict
    if incomparable(reading, old) or not _improved(verdict, reading, old):
        return verdict
    bound = Bound(
        kind="ratchet",
        bound=math.nan,
        headroom=math.nan,
        outcome=Outcome.BROKEN,
        reason="better than the lock, which is not written down: "
        "check --update or --edge-budget-update does it",
    )
    return with_bound(verdict, bound, today=date.today(), strict=choices.strict)


def _improved(verdict: Verdict, reading: Reading, old: Reading) -> bool:
    """Whether the whole interval is better than the old one's, by the least change that counts."""
    change = verdict.limit.min_change
    room = change.of(old.value) if change else 0.0
    upper = any(bound.kind == "ratchet" and bound.upper for bound in verdict.bounds)
    if upper:
        return reading.high < old.low - room
    return reading.low > old.high + room


class Updating(Protocol):
    """The choices that matter here; see `session.Choices`."""

    @property
    def relock(self) -> bool:
        """The lock is written anew."""

    @property
    def fill(self) -> bool:
        """The lock gets what it lacks."""

    @property
    def strict(self) -> bool:
        """An undecided limit fails."""


def _broken(budget: Budget, recorder: Recorder, file: str) -> set[str]:
    """Models with a limit that does not hold, their own or a group's, or with a linter's error."""
    limits, lints = recorder.limits.values(), recorder.lints.values()
    failing = {row.model for row in limits if row.fails and row.file == file}
    failing |= {row.model for row in lints if row.fails and row.file == file}
    groups = [group for group in budget.groups if group.name in failing]
    return failing | {model for group in groups for model in group.models}
