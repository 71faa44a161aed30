"""Recipes that train, refused while the file is read: nothing was built yet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_edgebudget.passes import finetune, qat
from tests.budget.project import Project

PLACE = "budgets/pi4.toml:4: models.k.optimize"
SOURCE = (
    " trains a Keras model, and this source is none that can be trained"
    ' (path = "model.keras", or "package.module:function" that returns a Keras model)'
)


@pytest.fixture
def trained(project: Project) -> Project:
    """The project with two passes that train."""
    passes = {**project.registry.passes, "finetune": finetune.PASS, "qat": qat.PASS}
    return replace(project, registry=replace(project.registry, passes=passes))


def model(path: str, optimize: str) -> str:
    head = f'[models.k]\npath = "{path}"\ndata = "nets:data"\noptimize = "{optimize}"\n'
    return f"{head}budget.macs = 1\n"


@pytest.mark.parametrize("path", ["../keywords.tflite", "../net.onnx"])
def test_what_came_exported_is_not_trained(trained: Project, path: str) -> None:
    assert trained.mistakes(model(path, "finetune+int8")) == [f"{PLACE}: finetune{SOURCE}"]


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (
            "int8+finetune",
            "finetune trains the Keras model, and int8 before it works on what was exported"
            " (let finetune come first)",
        ),
        ("qat", "qat trains for int8, which has to come right behind it (write qat+int8)"),
        (
            "qat(epochs=2)+prune(0.1)+int8",
            "qat(epochs=2) trains for int8, which has to come right behind it"
            " (write qat(epochs=2)+int8)",
        ),
    ],
)
def test_an_order_that_makes_no_sense_is_a_mistake(
    trained: Project, recipe: str, said: str
) -> None:
    assert trained.mistakes(model("nets:build", recipe)) == [f"{PLACE}: {said}"]


def test_a_function_may_return_what_can_be_trained(trained: Project) -> None:
    (found,) = trained.read(model("nets:build", "finetune+qat(epochs=2)+int8")).models
    assert [str(recipe) for recipe in found.optimize] == ["finetune+qat(epochs=2)+int8"]
