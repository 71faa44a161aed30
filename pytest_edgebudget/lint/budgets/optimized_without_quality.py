"""
A model is optimized, and nothing limits what that may do to its answers.

What it finds
    A model with a recipe that changes its arithmetic (quantization, pruning) in ``optimize``,
    and no limit of a quality metric that can fail.

Why it hurts
    The search takes the first recipe that keeps all limits. Without one of quality, a model
    that answers at random keeps them all. This happens: int8 calibrated on unfit samples, or a
    layer with one scale for very different channels, costs tens of points without any message
    (tensorflow#60903, yolov5#10164, onnxruntime#11286).

Example
    ::

        [models.keywords]
        optimize = ["int8"]

        [models.keywords.budget]
        size = "64 KiB"

Instead
    Say what the model must still be able to do, on data of its own::

        accuracy = { min = 0.90, max_drop = "1 pp" }
        cosine   = 0.99       # without labels: likeness to the source model's outputs
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at


def check(file: BudgetFile) -> Iterator[Finding]:
    """Models that may be optimized into nonsense."""
    from pytest_edgebudget.lint.budgets._metrics import quality

    for model in file.budget.models:
        recipes = [str(recipe) for recipe in model.optimize if str(recipe) != "none"]
        recipes += ["any recipe"] if model.fit else []
        limits = [limit for limit in model.limits if limit.level == "error"]
        if recipes and not any(quality(limit.metric) for limit in limits):
            what = recipes[0] if len(recipes) == 1 else f"{recipes[0]} or another recipe"
            yield at(
                model.place,
                f"{what} may be chosen, and no limit says how good the model must stay",
                instead='such as: accuracy = { min = 0.90, max_drop = "1 pp" }',
            )


RULE = Rule(
    code="EB106",
    name="optimized-without-quality",
    severity=Severity.WARNING,
    needs=BudgetFile,
    check=check,
)
