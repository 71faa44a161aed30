"""Small values that tests build on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import Place
from pytest_edgebudget.types import Evidence, Limit, Reading

PLACE = Place(Path("budgets/pi4.toml"), 7, "models.m.budget.size")


def reading(value: float, **changes: Any) -> Reading:
    """An exact reading of a metric m, or with *changes*."""
    facts: dict[str, Any] = {
        "metric": "m",
        "value": value,
        "low": value,
        "high": value,
        "evidence": Evidence.EXACT,
    }
    return Reading(**(facts | changes))


def limit(**changes: Any) -> Limit:
    """A limit of a metric m that accepts exact and measured readings."""
    facts: dict[str, Any] = {
        "metric": "m",
        "evidence": (Evidence.EXACT, Evidence.MEASURED),
        "place": PLACE,
    }
    return Limit(**(facts | changes))
