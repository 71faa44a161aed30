"""Bad input is a sentence that names the pass and says what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.budget.recipes import parse_recipe
from pytest_edgebudget.errors import BuildError
from tests.build.conftest import DIGITS

from .conftest import School

SAID = {
    "no x_train": "finetune needs samples to train on, but the data have no x_train\n"
    "  add arrays x_train and y_train to the data",
    "no y_train": "finetune needs labels, but the data have no y_train\n"
    "  add y_train; only a model that reconstructs its input trains without",
    "nan": "finetune: 1 of 40 samples of x_train hold NaN or infinity\n"
    "  remove or repair them: one is enough to destroy every weight",
    "label too large": "finetune: y_train holds the label 3, but the model knows 0 to 2\n"
    "  number the classes from 0 in the order of the model's outputs",
    "label negative": "finetune: y_train holds the label -1, but the model knows 0 to 2\n"
    "  number the classes from 0 in the order of the model's outputs",
    "values for classes": "finetune: a label of y_train has shape (6,), the model's output (3,)\n"
    "  labels are one class a sample (whole numbers), or values of the output's shape",
    "sample shape": "finetune: a sample of x_train has shape (5,), the input sensors (6,)",
    "input without a name": "finetune finds no x_train for the input a (there is x_train)\n"
    "  name the array x_train/a",
    "label without a name": "finetune: the model's outputs are kind, size, the labels y_train\n"
    "  name each array y_train/OUTPUT",
    "frozen": "finetune finds nothing to train: all layers are frozen\n"
    "  set trainable = True on the layers and save the model again",
    "diverges": "finetune(learning_rate=1.0): the loss is nan in epoch 1\n"
    "  a smaller learning_rate may help (it is 1)",
    "lambda": "finetune: the model has a Lambda layer, which would run code from the file\n"
    "  replace it by a layer of Keras (Rescaling, Reshape ...) and save the model again",
    "own layer": "finetune: the model has a layer of its own, Mine\n"
    "  only layers that come with Keras can be trained here",
    "recurrent": "qat does not know how to train LSTM (memory) for int8\n"
    "  finetune+int8 quantizes after training what the runtime can quantize",
    "own activation": "qat does not know how to train the activation softplus (soft) for int8\n"
    "  relu, relu6, sigmoid, tanh, softmax and silu are known",
    "no penalty": "regularize(l1=0.0): without l1 and l2 nothing is driven anywhere\n  l1=1e-5",
    "no pattern": "sparsify(0.5, pattern=3:5): pattern is one of none, 2:4, 1x4",
    "no fours": "sparsify(0.5, pattern=1x4) finds no layer to prune: none has inputs that come in"
    " fours\n  leave the pattern out",
}


def test_what_cannot_be_trained_is_a_sentence(program, tmp_path: Path) -> None:
    assert program("wrong:said", folder=str(tmp_path)) == SAID


def test_a_model_of_keras_2_is_refused_with_what_to_do(program, tmp_path: Path) -> None:
    pytest.importorskip("tf_keras", reason="pip install 'pytest-edgebudget[tensorflow]'")
    assert program("wrong:of_keras_2", folder=str(tmp_path)) == (
        "qat: the model is one of Keras 2 (tf-keras), and what is trained here is Keras 3\n"
        "  build the same layers in Keras 3, model.load_weights() of the .h5, save a .keras"
    )


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        (
            "int8+finetune",
            "finetune trains the Keras model, and int8 before it works on what was exported\n"
            "  let finetune come first",
        ),
        (
            "qat",
            "qat trains for int8, which has to come right behind it\n  write qat+int8",
        ),
        (
            "qat+prune(0.1)+int8",
            "qat trains for int8, which has to come right behind it\n  write qat+int8",
        ),
    ],
)
def test_an_order_that_makes_no_sense_is_a_sentence(
    recipe: str, sentence: str, school: School
) -> None:
    with pytest.raises(BuildError) as caught:
        school.made(recipe)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_a_source_that_came_exported_is_not_trained(suffix: str, school: School) -> None:
    with pytest.raises(BuildError) as caught:
        school.made("finetune", school.digits(suffix))
    assert str(caught.value) == (
        "finetune trains a Keras model, and this source is none that can be trained\n"
        '  path = "model.keras", or "package.module:function" that returns a Keras model'
    )


def test_without_train_data_a_recipe_that_trains_says_what_to_add(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "data.npz", x_test=np.zeros((3, 64)))
    monkeypatch.setattr(school, "data", school.load(tmp_path / "data.npz"))
    with pytest.raises(BuildError) as caught:
        school.made("qat+int8")
    assert str(caught.value) == (
        f"qat needs samples to train on, but {tmp_path / 'data.npz'} has no x_train\n"
        "  add x_train and y_train to the data"
    )


def test_qat_is_for_tflite(school: School) -> None:
    source = school.source(DIGITS / "digits.keras", "onnx")
    with pytest.raises(BuildError, match=r"qat works on \.tflite, the model is \.onnx"):
        school.made("qat+int8", source)


def test_qat_takes_no_zero_epochs(school: School) -> None:
    with pytest.raises(ValueError, match="qat: epochs must be between 1 and 10000, not 0"):
        parse_recipe("qat(epochs=0)+int8", school.passes)
