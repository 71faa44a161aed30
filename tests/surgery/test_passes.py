"""The passes of this folder in recipes: trained, exported, checked, run."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.build import build
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.graph import read
from pytest_edgebudget.graph.cost import layer_costs
from pytest_edgebudget.types import Artifact, Step
from tests.build.conftest import Bench, recipe_of
from tests.passes.conftest import accuracy, outputs

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One cache for all tests of this file: each recipe is trained once."""
    for name in ("tensorflow", "keras", "ai_edge_litert", "sklearn"):
        if importlib.util.find_spec(name) is None:
            pytest.skip("pip install 'pytest-edgebudget[litert,tensorflow,search]'")
    return Bench(tmp_path_factory.mktemp("surgery"))


@pytest.fixture(scope="session")
def attention(program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network with a layer whose channels nobody follows."""
    folder = tmp_path_factory.mktemp("attention")
    program("save", str(folder / "attention.keras"))
    return folder / "attention.keras"


def made(kitchen: Bench, example: str, *steps: Step, data: Path | None = None) -> Artifact:
    folder = EXAMPLES / example
    return build(
        recipe_of(*steps),
        kitchen.source(folder / f"{example}.keras"),
        passes=kitchen.passes,
        data=kitchen.load(data or folder / "data.npz"),
        root=kitchen.root,
        store=kitchen.store,
    )


def macs(artifact: Artifact) -> int:
    return sum(cost.macs or 0 for cost in layer_costs(read(artifact.path)))


def right(artifact: Artifact, example: str) -> float:
    with np.load(EXAMPLES / example / "data.npz") as data:
        return accuracy(artifact.path, data["x_test"], data["y_test"])


def channels(fraction: float, **options: float | int | str | bool) -> Step:
    return Step("channels", (fraction,), tuple(options.items()))


def test_channels_makes_a_tflite_with_half_the_work_that_still_knows_its_digits(kitchen):
    source = kitchen.source(EXAMPLES / "digits/digits.keras")
    narrow = made(kitchen, "digits", channels(0.3, epochs=4, seed=1))
    assert macs(narrow) < 0.55 * macs(source)
    assert narrow.size < 0.6 * source.size
    assert right(narrow, "digits") > 0.93


def test_a_narrower_model_is_quantized_like_any_other(kitchen):
    narrow = made(kitchen, "digits", channels(0.3, epochs=4, seed=1))
    whole = made(kitchen, "digits", channels(0.3, epochs=4, seed=1), Step("int8"))
    assert whole.size < 0.5 * narrow.size
    assert right(whole, "digits") > 0.93


def test_a_ranking_that_is_not_known_is_refused_with_those_that_are(kitchen):
    with pytest.raises(BuildError) as caught:
        made(kitchen, "digits", channels(0.3, by="l2", epochs=0))
    assert str(caught.value) == (
        "channels(0.3, by=l2, epochs=0): by is l2\n  it is one of l1, bn, taylor"
    )


def test_what_is_left_whole_is_said_beside_the_result_behind_other_steps_too(kitchen, attention):
    narrow = build(
        recipe_of(channels(0.3, epochs=0), Step("float16")),
        kitchen.source(attention),
        passes=kitchen.passes,
        data=None,
        root=kitchen.root,
        store=kitchen.store,
    )
    assert narrow.notes[:1] == ("channels into attention (MultiHeadAttention) are left whole",)


def test_low_rank_needs_no_data_and_says_what_each_layer_costs_still(kitchen):
    source = kitchen.source(EXAMPLES / "digits/digits.keras")
    low = made(kitchen, "digits", Step("low_rank", (0.8,)))
    assert macs(low) < 0.8 * macs(source)
    assert right(low, "digits") > 0.96
    assert any(note.startswith("strokes: rank ") for note in low.notes)


def test_tumours_are_told_apart_by_eight_components_with_less_work(kitchen):
    source = kitchen.source(EXAMPLES / "tumours/tumours.keras")
    made_of = made(kitchen, "tumours", Step("pca", (8,)))
    assert macs(made_of) < 0.75 * macs(source)
    with np.load(EXAMPLES / "tumours/data.npz") as data:
        chance = outputs(made_of.path, data["x_test"]).reshape(-1)
        right = ((chance > 0.5) == data["y_test"]).mean()
    assert right > 0.93


def test_diabetes_is_foretold_from_five_measurements_in_onnx(kitchen):
    source = kitchen.source(EXAMPLES / "diabetes/diabetes.keras", "onnx")
    chosen = build(
        recipe_of(Step("rfe", (5,))),
        source,
        passes=kitchen.passes,
        data=kitchen.load(EXAMPLES / "diabetes/data.npz"),
        root=kitchen.root,
        store=kitchen.store,
    )
    assert macs(chosen) < macs(source)
    with np.load(EXAMPLES / "diabetes/data.npz") as data:
        errors = [
            np.abs(outputs(item.path, data["x_test"]).reshape(-1) - data["y_test"]).mean()
            for item in (source, chosen)
        ]
    assert errors[1] < 1.1 * errors[0]
    assert len(chosen.notes[0].split(", ")) == 5
