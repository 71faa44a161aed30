"""What training makes: full int8 that answers as trained, zeros that stay, small weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.build.training import School as Steps
from pytest_edgebudget.build.training import trained as after_training
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.types import Artifact
from tests.build.conftest import DIGITS
from tests.passes.conftest import accuracy, outputs

from .conftest import School

pytestmark = pytest.mark.slow  # each trains a model, and there is no smaller one

KINDS = {
    "softmax": ["classes", "softmax"],
    "softmax behind a dropout": ["classes", "softmax"],
    "inside a model": ["classes", "softmax"],
    "logits": ["classes", ""],
    "sigmoid": ["chances", "sigmoid"],
    "sigmoid, float labels": ["chances", "sigmoid"],
    "one logit": ["chances", ""],
    "several sigmoids": ["chances", "sigmoid"],
    "values": ["values", ""],
    "reconstruction": ["values", ""],
}


def kernels(model: Path) -> dict[str, np.ndarray]:
    """Matrices in a `.keras` file by their path, read with h5py alone."""
    import io
    import zipfile

    h5py = pytest.importorskip("h5py")
    found: dict[str, np.ndarray] = {}
    with (
        zipfile.ZipFile(model) as archive,
        h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file,
    ):
        file.visititems(
            lambda name, item: (
                found.update({name: item[()]})
                if isinstance(item, h5py.Dataset) and item.ndim > 1
                else None
            )
        )
    return found


def trained(school: School, recipe: str) -> Artifact:
    """What a recipe's training alone made, with its `.keras` file; from the cache."""
    from pytest_edgebudget.budget.recipes import parse_recipe
    from pytest_edgebudget.build.recipes import Bound

    steps = parse_recipe(recipe, school.passes).steps
    bound = [Bound(step, school.passes[step.name]) for step in steps]
    where = Steps(data=school.data, root=school.root, store=school.store)
    return after_training(bound, school.model, where)


def constants(model: Path) -> list[np.ndarray]:
    """Constants of a `.tflite` with more than one axis, read by the runtime."""
    from ai_edge_litert.interpreter import Interpreter

    reader = Interpreter(model_path=str(model), num_threads=1)
    read: Graph = graph.read(model)
    indices = [i for i, t in enumerate(read.main.tensors) if t.constant and len(t.shape or ()) > 1]
    return [reader.get_tensor(index) for index in indices]


def test_the_loss_is_found_from_the_last_layers_and_the_labels(program) -> None:
    assert program("kinds:kinds") == KINDS


def test_logits_and_their_softmax_have_the_same_loss(program) -> None:
    logits, chances, by_hand = program("kinds:same_loss")
    assert logits == pytest.approx(by_hand, rel=1e-5)
    assert chances == pytest.approx(by_hand, rel=1e-5)


# --- qat -------------------------------------------------------------------------------------


def test_qat_int8_answers_as_the_training_and_has_no_float_op(school: School, program) -> None:
    artifact = school.made("qat(epochs=2)+int8")
    read = graph.read(artifact.path)
    dtypes = {read.main.tensors[output].dtype for op in read.ops for output in op.outputs}
    assert dtypes == {"int8"}
    assert sum(op.kind in ("CONV_2D", "FULLY_CONNECTED") for op in read.ops) == 4
    with np.load(DIGITS / "data.npz") as data:
        inputs, labels = data["x_test"], data["y_test"]
    keras_file = trained(school, "qat(epochs=2)").trainable
    expected = program(
        "answers:of_training", trained=str(keras_file), data=str(DIGITS / "data.npz")
    )
    answers = outputs(artifact.path, inputs).reshape(len(labels), -1).argmax(axis=1)
    assert (answers == np.array(expected)).mean() >= 0.99
    assert (answers == labels).mean() >= 0.97


def test_qat_needs_no_calibration_data(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with np.load(DIGITS / "data.npz") as data:
        np.savez(tmp_path / "data.npz", x_train=data["x_train"], y_train=data["y_train"])
    monkeypatch.setattr(school, "data", school.load(tmp_path / "data.npz"))
    assert school.made("qat(epochs=1)+int8").size < 32_000


@pytest.mark.parametrize("name", ["residual", "sequence", "gated", "nested"])
def test_networks_of_many_layers_become_int8_as_they_were_trained(name: str, program) -> None:
    found = program("nets:quantized_as_trained", name=name)
    assert found["folded"] < 1e-5
    assert set(found["dtypes"]) == {"int8", "int32"}
    assert found["steps_apart"] <= 5
    assert found["mean_steps_apart"] <= 1


def test_the_int8_of_a_branching_network_decides_as_its_training(program) -> None:
    """A residual addition, a concatenation, depthwise layers and batch norms."""
    found = program("nets:agreement")
    assert found["dtypes"] == ["int32", "int8"]
    assert found["right"] > 0.9  # of ten classes: the answers mean something
    assert found["agree"] >= 0.99


def test_a_network_of_keras_2_is_trained_as_one_of_keras_3(
    school: School, program, tmp_path: Path
) -> None:
    pytest.importorskip("tf_keras", reason="pip install 'pytest-edgebudget[tensorflow]'")
    path, data = tmp_path / "old.h5", str(DIGITS / "data.npz")
    old = program("old:digits", path=str(path), data=data)
    source = school.source(path, "tflite")
    assert source.trainable.suffix == ".keras"
    new = program("old:in_keras_3", path=str(source.trainable), data=data)
    assert np.array(new) == pytest.approx(np.array(old), abs=1e-5)
    made = school.made("qat(epochs=1)+int8", source)
    read = graph.read(made.path)
    assert {read.main.tensors[o].dtype for op in read.ops for o in op.outputs} == {"int8"}
    before = (np.array(old).argmax(axis=1) == samples()[1]).mean()
    assert accuracy(made.path, *samples()) > before - 0.02


# --- zeros and small weights ------------------------------------------------------------------


def test_sparsify_makes_its_share_of_zeros_and_int8_keeps_them(school: School) -> None:
    made = school.made("sparsify(0.6, epochs=3)+int8")
    for name, kernel in kernels(trained(school, "sparsify(0.6, epochs=3)").trainable).items():
        assert 0.6 <= (kernel == 0).mean() < 0.62, name
    weights = [values for values in constants(made.path) if values.dtype == np.int8]
    assert len(weights) == 4
    assert min((values == 0).mean() for values in weights) >= 0.6
    assert accuracy(made.path, *samples()) > 0.9


def test_sparsify_lays_its_zeros_in_the_pattern(school: School) -> None:
    two_of_four = constants(school.made("sparsify(0.5, epochs=1, pattern=2:4)").path)
    blocks = constants(school.made("sparsify(0.7, epochs=1, pattern=1x4)").path)
    for weights, name in ((two_of_four, "2:4"), (blocks, "1x4")):
        fours = [w.reshape(-1, 4) for w in weights if w.dtype == np.float32 and not w.shape[-1] % 4]
        assert len(fours) == 2, name  # not the first layer, which has one input, nor of 26 inputs
        for groups in fours:
            zeros = (groups == 0).sum(axis=1)
            if name == "2:4":
                assert (zeros >= 2).all()
            else:
                assert (zeros == 4).mean() >= 0.7
                assert set(zeros) <= {0, 4}


def test_what_is_trained_behind_sparsify_keeps_the_zeros(school: School) -> None:
    made = trained(school, "sparsify(0.6, epochs=3)+finetune(epochs=1)")
    for name, kernel in kernels(made.trainable).items():
        assert (kernel == 0).mean() >= 0.6, name


def test_regularize_makes_the_weights_smaller_than_the_same_training_without(
    school: School,
) -> None:
    sums = [
        sum(abs(kernel).sum() for kernel in kernels(trained(school, recipe).trainable).values())
        for recipe in ("regularize(l1=0.0005, epochs=2)", "finetune(epochs=2)")
    ]
    assert sums[0] < 0.9 * sums[1]


def samples() -> tuple[np.ndarray, np.ndarray]:
    with np.load(DIGITS / "data.npz") as data:
        return data["x_test"], data["y_test"]
