from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.types import Step

from .conftest import DIGITS, PASSES, accuracy, outputs, step_of

pytestmark = pytest.mark.filterwarnings("ignore:.*experimental_preserve_all_tensors")

MODELS = [DIGITS / "digits.tflite", DIGITS / "digits.onnx"]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda path: path.suffix[1:])
each_pass = pytest.mark.parametrize(
    ("name", "model"),
    [
        pytest.param(name, model, id=f"{name}-{model.suffix[1:]}")
        for name, item in PASSES.items()
        for model in MODELS
        if model.suffix[1:] in item.formats
    ],
)

# Of the float file: what the format's metadata around the weights leaves of 1/2, 1/4, 1/8.
LARGEST = {
    "none": 1.0,
    "float16": 0.58,
    "weights_int8": 0.40,
    "dynamic_int8": 0.40,
    "int8": 0.45,
    "int16x8": 0.45,
    "int4_weights": 0.28,
    "prune": 1.0,
    "cluster": 1.0,
    "mixed": 0.40,
    "clean": 1.0,
}


@each_pass
def test_a_pass_keeps_its_promise_and_most_of_the_accuracy(
    name: str, model: Path, run_pass, samples
) -> None:
    out = run_pass(name, model)
    before, after = graph.read(model), graph.read(out)
    assert PASSES[name].check(before, after, step_of(name)) == ""
    assert after.size <= LARGEST[name] * before.size
    inputs, labels = samples["x_test"], samples["y_test"]
    assert accuracy(out, inputs, labels) >= accuracy(model, inputs, labels) - 0.02


@each_pass
def test_a_pass_makes_the_same_bytes_again_and_leaves_its_input_alone(
    name: str, model: Path, run_pass
) -> None:
    before = model.read_bytes()
    first = run_pass(name, model, name="first").read_bytes()
    assert run_pass(name, model, name="second").read_bytes() == first
    assert model.read_bytes() == before


@each_pass
def test_a_file_in_which_nothing_happened_breaks_the_promise(name: str, model: Path) -> None:
    if name == "none":
        return
    same = graph.read(model)
    assert PASSES[name].check(same, same, step_of(name)) != ""


@each_model
def test_each_promise_is_its_own(model: Path, run_pass) -> None:
    """What one pass made does not satisfy another's check."""
    kinds = {"float16", "weights_int8", "dynamic_int8", "int8", "int16x8", "int4_weights"}
    before = graph.read(model)
    made = {name: graph.read(run_pass(name, model, name=name)) for name in kinds}
    satisfied = {
        (made_by, name)
        for made_by, after in made.items()
        for name in kinds - {made_by}
        if PASSES[name].check(before, after, step_of(name)) == ""
    }
    assert satisfied == set()


@each_model
@pytest.mark.parametrize("name", ["float16", "weights_int8", "dynamic_int8", "int8", "int16x8"])
def test_a_quantized_model_is_not_quantized_again(name: str, model: Path, run_pass) -> None:
    quantized = run_pass("int8", model, name="quantized")
    with pytest.raises(BuildError) as caught:
        run_pass(name, quantized)
    assert str(caught.value) == (
        f"{name} needs a float model, but weights are int8 already\n"
        '  optimize = ["none"] gates the model as it is'
    )


@each_model
def test_a_pruned_model_can_be_quantized(model: Path, run_pass, samples) -> None:
    pruned = run_pass("prune", model, Step("prune", (0.1,)), name="pruned")
    out = run_pass("int8", pruned)
    assert PASSES["int8"].check(graph.read(pruned), graph.read(out), Step("int8")) == ""
    assert accuracy(out, samples["x_test"], samples["y_test"]) > 0.95


@each_model
def test_int8_with_one_scale_a_tensor_stores_fewer_scales(model: Path, run_pass) -> None:
    by_channel = graph.read(run_pass("int8", model, name="channel"))
    step = Step("int8", (), (("per_channel", False),))
    by_tensor = graph.read(run_pass("int8", model, step, name="tensor"))
    assert by_tensor.size < by_channel.size
    assert PASSES["int8"].check(graph.read(model), by_tensor, step) == ""


def test_int8_in_operators_of_integers_is_smaller_and_kept_by_the_same_promise(run_pass) -> None:
    model = DIGITS / "digits.onnx"
    step = Step("int8", (), (("form", "qoperator"),))
    operators = graph.read(run_pass("int8", model, step, name="operators"))
    assert PASSES["int8"].check(graph.read(model), operators, step) == ""
    assert operators.size < graph.read(run_pass("int8", model, name="qdq")).size
    assert "QLinearConv" in {op.kind for op in operators.ops}


def test_the_form_of_onnx_is_refused_for_tflite_and_when_misspelt(run_pass) -> None:
    with pytest.raises(BuildError, match=r"form is for \.onnx only"):
        run_pass("int8", DIGITS / "digits.tflite", Step("int8", (), (("form", "qoperator"),)))
    with pytest.raises(BuildError, match="form is one of qdq, qoperator"):
        run_pass("int8", DIGITS / "digits.onnx", Step("int8", (), (("form", "qlinear"),)))


def test_int8_takes_and_gives_integers_in_tflite_and_floats_in_onnx(run_pass) -> None:
    for model, dtype in zip(MODELS, ("int8", "float32"), strict=True):
        after = graph.read(run_pass("int8", model))
        ends = [after.tensors[i].dtype for i in (*after.main.inputs, *after.main.outputs)]
        assert ends == [dtype, dtype]


def test_none_is_the_same_file(run_pass) -> None:
    for model in MODELS:
        assert run_pass("none", model).read_bytes() == model.read_bytes()


@each_model
def test_float16_answers_like_the_float_model(model: Path, run_pass, samples) -> None:
    inputs = samples["x_test"][:50]
    difference = abs(outputs(run_pass("float16", model), inputs) - outputs(model, inputs))
    assert difference.max() < 5e-3


def test_calibrated_passes_want_calibration_data() -> None:
    assert {name for name, item in PASSES.items() if item.calibrated} == {
        "int8",
        "int16x8",
        "mixed",
    }


@pytest.mark.parametrize("name", PASSES)
def test_every_pass_says_what_it_does(name: str) -> None:
    doc = PASSES[name].doc
    assert len(doc.splitlines()[0]) < 90
    assert doc.splitlines()[0].endswith((".", "size.", "speed."))
