from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.budget.recipes import parse_recipe
from pytest_edgebudget.fit.bounds import least_arena, least_size
from pytest_edgebudget.passes import BUILT_IN
from pytest_edgebudget.passes.base import Job

from ..passes.conftest import DIGITS
from ..passes.conftest import calibration as calibration
from ..passes.conftest import samples as samples

pytestmark = pytest.mark.filterwarnings("ignore:.*experimental_preserve_all_tensors")

PASSES = {item.name: item for item in BUILT_IN}
MODELS = [DIGITS / "digits.tflite", DIGITS / "digits.onnx"]
RECIPES = [
    "none",
    "float16",
    "weights_int8",
    "dynamic_int8",
    "int8",
    "int16x8",
    "int4_weights",
    "int8+clean",
    "int8+cluster(32)",
    "mixed(4484)+clean",
]


def made(model: Path, recipe: str, calibration: Path, folder: Path) -> Path:
    pytest.importorskip("litert_quantizer", reason="pip install 'pytest-edgebudget[litert]'")
    for place, step in enumerate(parse_recipe(recipe, PASSES).steps):
        out = folder / f"{place}{model.suffix}"
        PASSES[step.name].apply(Job(model=model, out=out, step=step, calibration=calibration))
        model = out
    return model


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.suffix[1:])
@pytest.mark.parametrize("text", RECIPES)
def test_no_artifact_is_smaller_than_what_was_said(
    text: str, model: Path, calibration: Path, tmp_path: Path
) -> None:
    recipe = parse_recipe(text, PASSES)
    if any(model.suffix[1:] not in PASSES[step.name].formats for step in recipe.steps):
        pytest.skip("a pass for the other format")
    source = graph.read(model)
    least = least_size(source, recipe).size
    size = made(model, text, calibration, tmp_path).stat().st_size
    assert least <= size
    assert least >= 0.4 * size  # what is said is worth something


@pytest.mark.parametrize("text", ["none", "int8", "int16x8"])
def test_the_planned_arena_of_the_artifact_is_no_smaller(
    text: str, calibration: Path, tmp_path: Path
) -> None:
    from pytest_edgebudget.graph.memory import plan

    model, recipe = MODELS[0], parse_recipe(text, PASSES)
    artifact = graph.read(made(model, text, calibration, tmp_path))
    least = least_arena(graph.read(model), recipe, "tflm", "")
    assert 0.7 * plan(artifact, "tflm", "").size <= least <= plan(artifact, "tflm", "").size


def test_of_passes_that_take_weights_out_nothing_is_known() -> None:
    from pytest_edgebudget.types import Recipe, Step

    recipe = Recipe((Step("channels", (0.5,)), Step("int8")))
    assert least_size(graph.read(MODELS[0]), recipe).size == 0
