"""
A regression of a time is smaller than this machine can tell.

What it finds
    A relative ``max_regression`` (with ``min_change``) of ``latency`` below the noise floor that
    ``edgebudget doctor BUDGET --noise`` measured of that model on this machine; of
    ``latency_p95`` and ``latency_p99``, which are compared as readings of two runs, below what
    two runs differ by. Nothing is said where nothing was measured.

Why it hurts
    A comparison takes ten fresh workers, ends undecided, and passes: the limit finds no
    regression, and costs time in every run.

Example
    ::

        latency = { max_regression = "1 %" }    # measured here: from 2.3 % (1.9 % - 2.9 %)

Instead
    Take a limit above the floor, measure again on a machine with less else to do, or count
    instructions, which have no noise::

        latency      = { max_regression = "3 %" }
        instructions = { max_regression = "1 %" }
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at
from pytest_edgebudget.types import Limit

if TYPE_CHECKING:
    from pytest_edgebudget.measure.noise_floor import Floor
    from pytest_edgebudget.store import Store

_IN_TURNS = "latency"
_APART = ("latency_p95", "latency_p99")


def check(file: BudgetFile) -> Iterator[Finding]:
    """Limits of models whose noise is known here."""
    limits = [(m, each) for m in file.budget.models for each in m.limits if _asked(each)]
    store = _store(file.path) if limits else None
    if store is None:
        return
    from pytest_edgebudget.measure.noise_floor import read_floor

    for model, limit in limits:
        floor = read_floor(store, file.budget, model.name)
        if floor is not None:
            yield from _below(limit, floor)


def _asked(limit: Limit) -> float:
    """The smallest change that counts, as a share; 0 where the limit has none."""
    if limit.metric not in (_IN_TURNS, *_APART) or limit.max_regression is None:
        return 0.0
    tolerances = [each for each in (limit.max_regression, limit.min_change) if each]
    return max(e.amount for e in tolerances) if all(e.relative for e in tolerances) else 0.0


def _store(path: Path) -> Store | None:
    """The project's cache, where something was measured; nothing is made."""
    from pytest_edgebudget.errors import EdgeBudgetError
    from pytest_edgebudget.settings import read_settings
    from pytest_edgebudget.store import Store

    folders = path.resolve().parents
    root = next((each for each in folders if (each / "pyproject.toml").is_file()), folders[0])
    try:
        settings = read_settings(root)
        known = (settings.cache / "records" / "noise-floor").is_dir()
        return Store(settings.cache, settings.cache_limit) if known else None
    except (EdgeBudgetError, OSError):
        return None  # the run says what is wrong with the settings


def _below(limit: Limit, floor: Floor) -> Iterator[Finding]:
    asked, in_turns = _asked(limit), limit.metric == _IN_TURNS
    least = floor.value if in_turns else floor.apart
    if asked >= least:
        return
    what = (
        "compared in turns, an unchanged model keeps"
        if in_turns
        else "even the medians of two runs differ by"
    )
    band = f" ({_percent(floor.low)} - {_percent(floor.high)})" if in_turns else ""
    yield at(
        limit.place,
        f"{_percent(asked)} is less than this machine can tell: {what} {_percent(least)}{band}, "
        f"as measured on {floor.day}",
        instead=f'max_regression = "{_percent(_rounded_up(least))}" at least',
    )


def _rounded_up(share: float) -> float:
    return -(-share * 1000 // 1) / 1000


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


RULE = Rule(
    code="EB118",
    name="time-below-the-noise",
    severity=Severity.WARNING,
    needs=BudgetFile,
    check=check,
)
