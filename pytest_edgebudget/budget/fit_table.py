"""``optimize = "fit"`` and the table ``[models.NAME.fit]``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_edgebudget.budget.mistakes import Mistakes
from pytest_edgebudget.budget.tree import Node
from pytest_edgebudget.facts import Predictions
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.types import FitChoice, Limit, Unit
from pytest_edgebudget.units import parse

FIT = "fit"
"""The word in place of recipes: they are searched for."""


def asks_for_fit(optimize: Node | None) -> bool:
    """Whether recipes are searched for."""
    return optimize is not None and (
        optimize.text == FIT or [each.text for each in optimize.elements] == [FIT]
    )


def read_fit(optimize: Node | None, table: Node | None, mistakes: Mistakes) -> FitChoice | None:
    """How to search; None where recipes are listed, or none."""
    if not asks_for_fit(optimize):
        if table is not None:
            mistakes.add(table.place, "there is no search to set", 'write optimize = "fit"')
        return None
    found = table.table if table is not None else {}
    return FitChoice(
        objective=found["objective"].text if "objective" in found else "",
        max_trials=_trials(found.get("max_trials"), mistakes),
        max_time=_seconds(found.get("max_time"), mistakes),
        train=found["train"].value is True if "train" in found else FitChoice().train,
    )


def _trials(node: Node | None, mistakes: Mistakes) -> int:
    if node is None or not isinstance(node.value, int):
        return FitChoice().max_trials
    if node.value < 1:
        mistakes.add(node.place, "at least one candidate must be built")
    return node.value


def _seconds(node: Node | None, mistakes: Mistakes) -> float | None:
    if node is None:
        return None
    try:
        return parse(node.text, Unit.SECONDS)
    except ValueError:
        mistakes.add(node.place, f'"{node.text}" is no time', 'such as: max_time = "10 min"')
        return None


def check_objective(
    choice: FitChoice, limits: Iterable[Limit], metrics: Mapping[str, Metric]
) -> str:
    """The sentence that says why a search cannot be for accuracy; empty when it can."""
    quality = (limit for limit in limits if metrics[limit.metric].needs is Predictions)
    if choice.objective == "accuracy" and next(quality, None) is None:
        return "no limit says which quality to be best at"
    return ""
