"""
The least regression of a time that this machine can tell, as it was measured here.

Kept in the cache, one record a model, budget file and machine (CPU and its
number of cores): `edgebudget doctor BUDGET --noise` writes it, the linter reads it.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields

from pytest_edgebudget.devices.interpreters import cpu
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Budget

KIND = "noise-floor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """
    What comparisons of a model with itself showed, as shares (0.02 is 2 %).

    Attributes:
        value: the least `max_regression` that an unchanged model is found to keep
            in 95 of 100 comparisons in turns; *low*..*high*: 90 % of resamples.
        apart: how far two processes that are timed alone differ, in 95 of 100
            pairs: what readings of two runs differ by at least.
        seconds: of an inference.
        workers: fresh processes that said so.
        runtime: with its version.
        day: when, as YYYY-MM-DD.
        sha256: of the artifact.
    """

    value: float
    low: float
    high: float
    apart: float
    seconds: float
    workers: int
    runtime: str
    day: str
    sha256: str


def write_floor(store: Store, budget: Budget, model: str, floor: Floor) -> None:
    """Keep what was measured of *model* on this machine, in place of what was known."""
    store.write_record(KIND, _key(budget, model), asdict(floor))


def read_floor(store: Store, budget: Budget, model: str) -> Floor | None:
    """What was measured of *model* on a machine like this one; None where nothing was."""
    found = store.record(KIND, _key(budget, model))
    if not isinstance(found, dict) or found.keys() != {field.name for field in fields(Floor)}:
        return None
    return Floor(**found)  # type: ignore[arg-type]


def _key(budget: Budget, model: str) -> dict[str, str]:
    return {
        "budget": budget.path.name,
        "model": model,
        "profile": budget.device.profile.name,
        "threads": str(budget.device.threads),
        "cpu": cpu(),
        "cores": str(os.cpu_count()),
    }
