"""Which models become a baseline at the end of a run, and their locks written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.lock import Lock, write_lock
from pytest_edgebudget.recorder import Recorder
from pytest_edgebudget.types import Budget


def write_locks(
    budgets: Mapping[Path, Budget],
    locks: Mapping[Path, Lock],
    recorder: Recorder,
    name: Callable[[Path], str],
) -> list[Path]:
    """
    Write what was chosen and read into the locks; returns the files that changed.

    Only models whose limits all hold, those of their groups too, and in
    which the linter finds no error, are written: a broken run never becomes a baseline.
    """
    changed = []
    for budget in budgets.values():
        file = name(budget.path)
        broken = _broken(budget, recorder, file)
        updates = {
            model: entry
            for (where, model), entry in recorder.locks.items()
            if where == file and model not in broken
        }
        if not updates:
            continue
        models = frozenset(model.name for model in budget.models)
        lock = locks[budget.path]
        try:
            if write_lock(lock, updates, models):
                changed.append(lock.path)
        except OSError as error:
            raise EdgeBudgetError(f"{name(lock.path)} was not written: {error}") from error
    return changed


def _broken(budget: Budget, recorder: Recorder, file: str) -> set[str]:
    """Models with a limit that does not hold, their own or a group's, or with a linter's error."""
    limits, lints = recorder.limits.values(), recorder.lints.values()
    failing = {row.model for row in limits if row.fails and row.file == file}
    failing |= {row.model for row in lints if row.fails and row.file == file}
    groups = [group for group in budget.groups if group.name in failing]
    return failing | {model for group in groups for model in group.models}
