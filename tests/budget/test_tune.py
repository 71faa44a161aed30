from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_edgebudget.passes import tune
from pytest_edgebudget.types import Dimension
from tests.budget.project import Project


@pytest.fixture
def tuned(project: Project) -> Project:
    """The project with the pass `tune`."""
    passes = {**project.registry.passes, "tune": tune.PASS}
    return replace(project, registry=replace(project.registry, passes=passes))


def model(table: str, path: str = "nets:build", optimize: str = "tune(9)+int8") -> str:
    head = f'[models.k]\npath = "{path}"\ndata = "nets:data"\noptimize = ["{optimize}"]\n'
    return f"{head}budget.macs = 1\n{table}"


def test_the_space_is_ranges_choices_and_scales(tuned: Project) -> None:
    table = """[models.k.tune]
        width = [8, 64]
        dropout = [0, 0.5]
        learning_rate = { low = 1e-4, high = 1e-2, log = true }
        activation = ["relu", "relu6"]
        kernel = [3, 5, 7]
        bias = [true, false]
    """
    (found,) = tuned.read(model(table)).models
    assert found.tune == (
        Dimension(name="width", low=8, high=64),
        Dimension(name="dropout", low=0, high=0.5),
        Dimension(name="learning_rate", low=1e-4, high=1e-2, log=True),
        Dimension(name="activation", choices=("relu", "relu6")),
        Dimension(name="kernel", choices=(3, 5, 7)),
        Dimension(name="bias", choices=(True, False)),
    )
    assert [type(end) for end in (found.tune[0].low, found.tune[1].high)] == [int, float]


EXAMPLE = " (such as: [models.NAME.tune] with width = [8, 64])"
FUNCTION = ' (path = "package.module:function" that builds the model)'


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (model(""), '4: models.k.optimize: "tune" needs to know what to choose' + EXAMPLE),
        (model("[models.k.tune]"), "6: models.k.tune: there is nothing to choose" + EXAMPLE),
        (model("tune.width = [8]"), "6: models.k.tune.width: one value is no choice (such as: [8, 64])"),
        (model("tune.width = [64, 8]"), "6: models.k.tune.width: 64 is not below 8 (such as: [8, 64])"),
        (model("tune.width = [8, nan]"), "6: models.k.tune.width: 8 is not below nan (such as: [8, 64])"),
        (model("tune.width = [[1], [2]]"), "6: models.k.tune.width: a choice is a number, a word, or true or false"),
        (model("tune.rate = { low = 0.0, high = 1.0, log = true }"), "6: models.k.tune.rate: a logarithmic scale begins above 0, not at 0.0"),
        (model("tune.rate = { low = 1.0 }"), "6: models.k.tune.rate: low and high are numbers (such as: {low = 1e-4, high = 1e-2})"),
        (model("tune.rate = { low = 1.0, hihg = 2.0 }"), '6: models.k.tune.rate.hihg: unknown key "hihg" (did you mean high?)'),
        (model("tune.width = 8"), "6: models.k.tune.width: must be a range [low, high], a list of choices, or {low, high, log} (such as: [8, 64])"),
    ],
)  # fmt: skip
def test_a_wrong_space_is_refused(tuned: Project, text: str, mistake: str) -> None:
    assert tuned.mistakes(text) == [f"budgets/pi4.toml:{mistake}"]


def test_a_model_in_a_file_has_nothing_to_tune(tuned: Project) -> None:
    told = tuned.mistakes(model("tune.width = [8, 64]", path="../keywords.tflite"))
    assert told == [
        'budgets/pi4.toml:4: models.k.optimize: "tune" needs a function, not a file' + FUNCTION,
        "budgets/pi4.toml:6: models.k.tune: a model in a file cannot be built in other ways"
        + FUNCTION,
    ]
