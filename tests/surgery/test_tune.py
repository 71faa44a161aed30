from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.build import build
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.types import Dimension, FunctionRef, Step, Tuning
from tests.build.conftest import DIGITS, Bench, recipe_of

SIZE = 9000

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def tuned(program) -> dict[str, Any]:
    if importlib.util.find_spec("optuna") is None:
        pytest.skip("pip install 'pytest-edgebudget[search]'")
    return program("tuned")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_only_models_that_fit_are_trained_and_all_others_are_counted(tuned):
    fitting = [size for size in tuned["looked"] if size <= SIZE]
    assert tuned["trained"] == fitting
    assert len(fitting) == 3
    more = len(tuned["looked"]) - 3
    assert more > 0
    assert tuned["note"].endswith(f"; {more} more could not fit and were not trained")


def test_the_size_that_was_looked_at_is_that_of_the_trained_model(tuned):
    assert tuned["best size"] in tuned["trained"]


def test_the_best_has_learnt_something(tuned):
    assert tuned["right"] > 0.7
    assert tuned["note"].startswith("best of 3 trained, 0.")


def test_a_search_that_was_broken_off_goes_on_as_if_it_had_not_been(tuned):
    assert len(tuned["whole"]) == 3
    assert tuned["parts"] == tuned["whole"]


def test_a_search_that_is_done_trains_nothing_more(tuned):
    assert tuned["trained again"] == 0


def test_a_trial_whose_process_was_killed_has_failed_and_another_takes_its_place(tuned):
    assert tuned["killed"] == ["FAIL", "COMPLETE"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("keyword", "tune(4): tunable:net takes no widht|did you mean width?"),
        (
            "number",
            "tune(4): no model could be trained: tunable:number(width=5) returned int, not a Keras 3 model|",
        ),
        (
            "output",
            "tune(4): no model could be trained: the inputs or outputs of tunable:wider_output(width=5) are not those of the source model|",
        ),
        ("missing", "there is no nett in tunable|did you mean net?"),
    ],
)
def test_a_function_that_cannot_be_tuned_is_refused_in_a_sentence(tuned, name, sentence):
    assert tuned[name] == sentence


def test_where_nothing_fits_it_is_said_how_far_off_it_is(tuned):
    message, hint = tuned["unfit"].split("|")
    assert message.startswith("tune(4): none of 2 models fits; the nearest has size 1.")
    assert message.endswith(" KiB of 100 B")
    assert hint == "let [models.NAME.tune] begin lower, or put more steps behind it: tune(30)+int8"


NETS = """
import keras
from keras import layers

def digits(width=4):
    x = keras.Input((8, 8, 1), name="image")
    y = layers.Conv2D(width, 3, activation="relu")(x)
    y = layers.Dense(10, activation="softmax")(layers.Flatten()(y))
    return keras.Model(x, y)
"""


def test_what_comes_behind_decides_what_fits(tuned, bench):
    (bench.root / "nets.py").write_text(NETS)
    function = FunctionRef("nets", "digits")
    tuning = Tuning(
        function=function,
        space=(Dimension(name="width", low=7, high=8),),
        bounds=(("size", 8 * 1024.0), ("macs", 1e6)),
        planner="litert",
    )
    source = replace(bench.source(function), tuning=tuning)
    step = Step("tune", (), (("trials", 1), ("epochs", 1)))
    with pytest.raises(BuildError, match=r"none of \d models fits"):
        bench.build(step, source=source)
    made = bench.build(step, Step("int8"), source=source)
    assert made.size <= 8 * 1024
    assert made.notes[0].startswith("best of 1 trained, 0.")


def test_a_model_in_a_file_cannot_be_tuned(tuned, bench):
    source = bench.source(DIGITS / "digits.keras")
    with pytest.raises(BuildError) as caught:
        build(
            recipe_of(Step("tune", (), (("trials", 1),))),
            source,
            passes=bench.passes,
            data=bench.data,
            root=bench.root,
            store=bench.store,
        )
    assert str(caught.value) == (
        "tune(trials=1) chooses what a function builds, and has none to call or nothing to choose\n"
        '  path = "package.module:function", and [models.NAME.tune] with width = [8, 64]'
    )
