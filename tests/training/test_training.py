"""Recipes that train: the same bytes twice, nothing of the test split, no epoch lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.budget.recipes import parse_recipe
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.training import epochs_of
from pytest_edgebudget.types import FunctionRef, Recipe, Step
from tests.build.conftest import DIGITS, PASSES, Bench
from tests.passes.conftest import accuracy

from .conftest import School, need_keras

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow  # each trains a model, and there is no smaller one
SHORT = "finetune(epochs=2)"


@pytest.fixture(scope="session")
def tuned(school: School):
    return school.made(SHORT)


def labelled(split: str) -> tuple[np.ndarray, np.ndarray]:
    with np.load(DIGITS / "data.npz") as data:
        return data[f"x_{split}"], data[f"y_{split}"]


def test_a_trained_model_is_an_artifact_like_others(school: School, tuned) -> None:
    assert str(tuned.recipe) == SHORT
    assert tuned.sha256 != school.model.sha256
    before, after = graph.read(school.model.path), graph.read(tuned.path)
    assert [op.kind for op in after.ops] == [op.kind for op in before.ops]
    assert accuracy(tuned.path, *labelled("test")) >= 0.97


def test_progress_is_heard_while_it_trains(school: School, tuned) -> None:
    assert any(re.fullmatch(r"epoch 2 of 2, loss 0\.\d+", text) for text in school.heard)


def test_what_was_trained_comes_from_the_cache(
    school: School, tuned, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a process was started")

    for module in ("recipes", "training", "sources"):
        monkeypatch.setattr(f"pytest_edgebudget.build.{module}.run", refuse)
    assert school.made(SHORT) == tuned


def test_recipes_that_begin_alike_train_once(
    school: School, tuned, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("it was trained again")

    monkeypatch.setattr("pytest_edgebudget.build.training.run", refuse)
    artifact = school.made(f"{SHORT}+int8")
    assert artifact.size < 0.4 * tuned.size


def test_the_same_recipe_makes_the_same_bytes_again(school: School, tuned, tmp_path: Path) -> None:
    assert School(tmp_path).made(SHORT).sha256 == tuned.sha256


def test_another_seed_or_other_data_makes_another_model(
    school: School, tuned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert school.made("finetune(epochs=2, seed=1)").sha256 != tuned.sha256
    with np.load(DIGITS / "data.npz") as data:
        arrays = {name: data[name] for name in data.files}
    arrays["y_train"] = np.roll(arrays["y_train"], 1)
    np.savez(tmp_path / "data.npz", **arrays)
    monkeypatch.setattr(school, "data", school.load(tmp_path / "data.npz"))
    assert school.made(SHORT).sha256 != tuned.sha256


def spy(job) -> None:
    """A pass that says which arrays it was given, and fails when that is all."""
    with zipfile.ZipFile(job.data) as archive:
        raise BuildError(" ".join(sorted(archive.namelist())))


def test_training_is_given_no_sample_of_the_test_split(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Pass(
        name="spy",
        apply=spy,
        check=lambda before, after, step: "",
        formats=frozenset({"tflite"}),
        trains=True,
    )
    monkeypatch.setitem(school.passes, "spy", own)
    seen: list[str] = []

    def watched(function, payload, **options):
        seen.append(str(payload))
        return run(function, payload, **options)

    from pytest_edgebudget.build.training import run

    monkeypatch.setattr("pytest_edgebudget.build.training.run", watched)
    with pytest.raises(BuildError) as caught:
        school.made("spy")
    assert caught.value.message == (
        "x_calibration.npy x_train.npy x_val.npy y_calibration.npy y_train.npy y_val.npy"
    )
    assert str(DIGITS / "data.npz") not in seen[0]


def test_a_function_that_returns_a_keras_model_can_be_trained(school: School) -> None:
    (school.root / "my_net.py").write_text(
        "import keras\n"
        "def make():\n"
        "    keras.utils.set_random_seed(3)\n"
        "    layers = keras.layers\n"
        "    return keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(),\n"
        "        layers.Dense(10)])\n"
    )
    source = school.source(FunctionRef("my_net", "make"))
    made = school.made("finetune(epochs=6, learning_rate=0.01)", source)
    test = labelled("test")
    assert accuracy(source.path, *test) < 0.3
    assert accuracy(made.path, *test) > 0.85


def test_a_teacher_changes_what_is_learnt(school: School, tuned) -> None:
    taught = school.made("finetune(epochs=2, teacher=true)")
    assert taught.sha256 != tuned.sha256
    assert accuracy(taught.path, *labelled("test")) >= 0.97


def test_the_control_trains_as_long_as_the_recipe() -> None:
    def epochs(recipe: str) -> int:
        return epochs_of(parse_recipe(recipe, PASSES), PASSES)

    assert epochs("int8") == 0
    assert epochs("qat+int8") == 3
    assert epochs("sparsify(0.7)+qat(epochs=2)+int8") == 8
    assert epochs_of(Recipe((Step("finetune", (5,)),)), PASSES) == 5


# --- a kill, and a limit ---------------------------------------------------------------------

BUILDER = """
import sys
from pathlib import Path
from tests.training.conftest import School

school = School(Path(sys.argv[1]))
school.heard = type("Printing", (), {"append": lambda self, text: print(text, flush=True)})()
school.made("finetune(epochs=30)")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_training_that_was_killed_goes_on_and_ends_at_the_same_weights(tmp_path: Path) -> None:
    need_keras()
    with subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(tmp_path / "killed")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as builder:
        assert builder.stdout is not None
        for line in builder.stdout:
            if re.match(r"epoch ([5-9]|1[0-9]) of 30", line):
                os.kill(builder.pid, signal.SIGKILL)
                break
    assert builder.wait(20) == -signal.SIGKILL
    killed, whole = School(tmp_path / "killed"), School(tmp_path / "whole")
    assert killed.made("finetune(epochs=30)").sha256 == whole.made("finetune(epochs=30)").sha256
    assert epoch(killed.heard[0]) >= 4
    assert epoch(whole.heard[0]) == 1
    assert list((tmp_path / "killed" / "cache" / "checkpoints").iterdir()) == []


def epoch(text: str) -> int:
    found = re.match(r"epoch (\d+) of 30", text)
    assert found, text
    return int(found[1])


def test_a_training_that_takes_too_long_says_that_it_will_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_keras()
    school = School(tmp_path)
    monkeypatch.setattr("pytest_edgebudget.build.training.TIMEOUT", 1.0)
    with pytest.raises(BuildError) as caught:
        school.made("finetune(epochs=9999)")
    assert str(caught.value) == (
        "stopped after 1 s while training for finetune(epochs=9999)\n"
        "  what was trained is kept: the next run goes on from there; or train fewer epochs"
    )


def test_what_is_half_done_counts_in_the_cache_and_goes_with_it(tmp_path: Path) -> None:
    store = Bench(tmp_path).store
    before = store.info()
    (store.checkpoint({"step": "finetune"}) / "epoch1.weights.h5").write_bytes(bytes(1000))
    assert store.info() == replace(before, entries=before.entries + 1, bytes=before.bytes + 1000)
    store.clear()
    assert store.info() == before
