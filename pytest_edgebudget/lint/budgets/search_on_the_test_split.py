"""
The search chooses a recipe by the samples that it is then judged on.

What it finds
    A model with several recipes and a limit of quality, whose data has no labelled samples
    besides ``x_test``: no ``x_val`` with ``y_val``, and no ``x_calibration`` with
    ``y_calibration``.

Why it hurts
    Of several candidates the one that happens to suit these samples is taken, and the same
    samples then say how good it is. The more recipes are tried, the more flattering is the
    number ("winner's curse"); the report says so, and nobody reads it a second time.

Example
    ``optimize = ["float16", "int8", "prune(0.3)+int8"]`` with an ``.npz`` of ``x_test``,
    ``y_test`` and ``x_calibration``.

Instead
    Add ``x_val`` and ``y_val``, or the labels ``y_calibration`` of the calibration samples.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at


def check(file: BudgetFile) -> Iterator[Finding]:
    """Searches that look at the test split."""
    from pytest_edgebudget.fit.search import selection_split
    from pytest_edgebudget.lint.budgets._data import data_file
    from pytest_edgebudget.lint.budgets._metrics import quality

    for model in file.budget.models:
        if len(model.optimize) < 2 or not any(quality(limit.metric) for limit in model.limits):
            continue
        data = data_file(model)
        if data is not None and data.samples("test") and selection_split(data) == "test":
            recipes = len(model.optimize)
            yield at(
                model.place,
                f"{recipes} recipes are tried on x_test, which then judges the chosen one",
                instead="add x_val and y_val to the data, or y_calibration",
            )


RULE = Rule(
    code="EB114",
    name="search-on-the-test-split",
    severity=Severity.WARNING,
    needs=BudgetFile,
    check=check,
)
