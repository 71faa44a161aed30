"""
A recipe needs samples that the data do not have.

What it finds
    A recipe of ``optimize`` with a pass that trains, and data without ``x_train``; or with a
    pass that calibrates, and data without ``x_calibration``. (Behind ``qat`` nothing is
    calibrated: the ranges were learnt.)

Why it hurts
    The recipe is refused each time that it is its turn: the gate then tries the next one, or
    finds none, and what was meant to be the best candidate never was one.

Example
    A file with ``x_test`` and ``y_test`` only::

        [models.keywords]
        path     = "keywords.keras"
        data     = "data.npz"
        optimize = ["qat+int8"]

Instead
    Add the samples to the data: some 100 typical inputs as ``x_calibration``; ``x_train`` and
    ``y_train`` for what trains. Or take recipes that need neither: ``float16``,
    ``weights_int8``, ``dynamic_int8``.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at
from pytest_edgebudget.types import Recipe


def check(file: BudgetFile) -> Iterator[Finding]:
    """Recipes that are sure to be refused for want of samples."""
    from pytest_edgebudget.lint.budgets._data import data_file

    for model in file.budget.models:
        data = data_file(model)
        for recipe in model.optimize if data else ():
            for step, split in _needed(recipe):
                if not data.has(split):
                    yield at(
                        model.place,
                        f"{recipe}: {step} needs {split}, and {data.path.name} has none",
                        instead=INSTEAD[split],
                    )


INSTEAD = {
    "x_train": "add x_train and y_train to the data",
    "x_calibration": "add some 100 typical inputs as x_calibration",
}


def _needed(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """The first step that needs a split, and the split; passes of one's own are not known here."""
    from pytest_edgebudget.passes import BUILT_IN
    from pytest_edgebudget.training.settings import step_epochs

    passes = {chosen.name: chosen for chosen in BUILT_IN}
    steps = [(step, passes[step.name]) for step in recipe.steps if step.name in passes]
    trains = [str(step) for step, chosen in steps if step_epochs(step, chosen)]
    learnt = {chosen.then for _, chosen in steps}
    ranges = [str(step) for step, chosen in steps if chosen.calibrated and step.name not in learnt]
    yield from ((step, "x_train") for step in trains[:1])
    yield from ((step, "x_calibration") for step in ranges[:1])


RULE = Rule(
    code="EB119",
    name="recipe-without-samples",
    severity=Severity.ERROR,
    needs=BudgetFile,
    check=check,
)
