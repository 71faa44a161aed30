"""
A size limit is so far above the model that growth would not be noticed.

What it finds
    A maximum of ``size`` or ``download_size`` that is more than ten times the bytes of the
    source model, of a ``.tflite`` or ``.onnx`` source. Recipes make models smaller, so what is
    chosen is further away still.

Why it hurts
    The model may become ten times as large before anything is said. A unit that slipped (MiB
    for KiB is a factor of 1,024) looks like this.

Example
    ::

        [models.keywords]
        path = "keywords.tflite"    # 52 KiB

        [models.keywords.budget]
        size = "64 MiB"

Instead
    Take the room that there is for the model on the device, or hold on to what was reached::

        size = { max = "64 KiB", max_regression = "2 %" }
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at
from pytest_edgebudget.types import ModelBudget, Unit
from pytest_edgebudget.units import format_value

TIMES = 10
_METRICS = frozenset({"size", "download_size"})


def check(file: BudgetFile) -> Iterator[Finding]:
    """Limits of bytes far above the source's."""
    for model in file.budget.models:
        limits = [each for each in model.limits if each.metric in _METRICS and each.max]
        size = _size(model) if limits else None
        for limit in limits:
            assert limit.max is not None
            if size and limit.max > TIMES * size and limit.max_regression is None:
                bytes_ = format_value(size, Unit.BYTES)
                times = round(limit.max / size)
                message = f"{format_value(limit.max, Unit.BYTES)} is {times:,} times"
                yield at(limit.place, f"{message} the {bytes_} of the source model")


def _size(model: ModelBudget) -> int | None:
    """Bytes of the source and its external data; None when that cannot be said."""
    from pytest_edgebudget.errors import ModelError
    from pytest_edgebudget.graph import read

    if not isinstance(model.source, Path) or model.source.suffix not in (".tflite", ".onnx"):
        return None
    try:
        graph = read(model.source)
    except ModelError:
        return None
    return graph.size + graph.external_size


RULE = Rule(
    code="EB104",
    name="loose-limit",
    severity=Severity.NOTE,
    needs=BudgetFile,
    check=check,
)
