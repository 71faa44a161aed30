"""EB206, EB210 and EB217: ops that an inference does not need, or that spoil it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.lint.base import Severity
from pytest_edgebudget.lint.structure import dead_ops, looped_recurrence, training_ops
from tests.graph import onnx_models as onnx
from tests.graph import tflite_models as tflite
from tests.lint.check import findings, messages
from tests.lint.structure import edits
from tests.lint.structure.runtimes import kept_by_onnxruntime

DEAD, TRAINING, LOOPED = dead_ops.RULE, training_ops.RULE, looped_recurrence.RULE
schema, np, node = tflite.schema, onnx.np, onnx.helper.make_node


def save(model: Any, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def answers(path: Path, runs: int = 2) -> list[Any]:
    """What onnxruntime answers to the same input of ones, again and again."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    ones = np.ones(given.shape, "float32")
    return [session.run(None, {given.name: ones})[0] for _ in range(runs)]


# --- EB206 -------------------------------------------------------------------------------


def two_heads(outputs: list[str]) -> Any:
    """A convolution, a class and, perhaps not asked for, a box of 64 x 4 weights."""
    nodes = [
        node("Conv", ["x", "k"], ["a"]),
        node("Flatten", ["a"], ["f"]),
        node("MatMul", ["f", "w"], ["class"]),
        node("MatMul", ["f", "v"], ["raw"]),
        node("Sigmoid", ["raw"], ["box"]),
    ]
    weights = [
        onnx.constant("k", 4, 1, 5, 5),
        onnx.constant("w", 64, 10),
        onnx.constant("v", 64, 4),
    ]
    values = {"class": onnx.value("class", 1, 10), "box": onnx.value("box", 1, 4)}
    return onnx.model(nodes, [onnx.value("x", 1, 1, 8, 8)], [values[n] for n in outputs], weights)


def test_a_head_that_is_no_output_is_found_and_onnxruntime_runs_it(tmp_path: Path) -> None:
    model = two_heads(["class"])
    (finding,) = findings(DEAD, save(model, tmp_path / "model.onnx"))
    assert finding.message == (
        "2 ops for a result that nobody uses, 256 MACs an inference, 1.00 KiB of weights"
    )
    assert finding.where == "box"
    assert "Sigmoid" in kept_by_onnxruntime(model, tmp_path)


def test_a_head_that_is_an_output_is_fine(tmp_path: Path) -> None:
    assert messages(DEAD, save(two_heads(["class", "box"]), tmp_path / "model.onnx")) == []


def test_a_dead_op_of_a_tflite_is_found(tmp_path: Path) -> None:
    model = tflite.small_cnn()
    graph = model.subgraphs[0]
    target = edits.copy_of(graph, 3, "forgotten")
    graph.operators.append(tflite.op(edits.number(model, "TANH"), [3], [target]))
    path = edits.write(model, tmp_path / "m.tflite")
    assert messages(DEAD, path) == ["1 op for a result that nobody uses"]


def test_ops_with_effects_and_results_that_inner_graphs_use_are_fine(tmp_path: Path) -> None:
    branch = onnx.helper.make_graph([node("Exp", ["a"], ["b"])], "b", [], [onnx.value("b", 1, 8)])
    model = onnx.model(
        [
            node("Tanh", ["x"], ["a"]),  # only the branches use it
            node("If", ["condition"], ["y"], then_branch=branch, else_branch=branch),
            node("Print", ["x"], ["nothing"], domain="com.microsoft"),
        ],
        [onnx.value("x", 1, 8), onnx.value("condition", kind=onnx.TensorProto.BOOL)],
        [onnx.value("y", 1, 8)],
        [],
    )
    assert messages(DEAD, save(model, tmp_path / "model.onnx")) == []


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
@pytest.mark.parametrize("name", ["digits_open", "attention", "lstm", "residual", "noisy"])
def test_ordinary_models_have_no_dead_ops(keras_models: Path, name: str, suffix: str) -> None:
    assert messages(DEAD, keras_models / f"{name}{suffix}") == []


# --- EB210 -------------------------------------------------------------------------------


def dropout(training: bool) -> Any:
    """A dense layer with dropout, as PyTorch exports it in training mode, or not."""
    mode = onnx.numpy_helper.from_array(np.array(training), "mode")
    ratio = onnx.numpy_helper.from_array(np.float32(0.5), "ratio")
    nodes = [
        node("MatMul", ["x", "w"], ["a"]),
        node("Dropout", ["a", "ratio", "mode"], ["y"], "dropout"),
    ]
    weights = [onnx.constant("w", 16, 64), ratio, mode]
    return onnx.model(nodes, [onnx.value("x", 1, 16)], [onnx.value("y", 1, 64)], weights)


@pytest.mark.parametrize("training", [True, False])
def test_dropout_in_training_mode_is_an_error_and_makes_answers_differ(
    tmp_path: Path, training: bool
) -> None:
    path = save(dropout(training), tmp_path / "model.onnx")
    found = findings(TRAINING, path)
    first, second = answers(path)
    assert bool(found) == (not np.array_equal(first, second)) == training
    if training:
        assert found[0].message == "Dropout in training mode zeroes by chance"
        assert found[0].severity is Severity.ERROR


@pytest.mark.parametrize("training", [1, 0])
def test_batch_normalization_in_training_mode_is_an_error_and_makes_answers_drift(
    tmp_path: Path, training: int
) -> None:
    more = ["m2", "v2"] if training else []
    norm = node("BatchNormalization", list("xsbmv"), ["y", *more], "norm", training_mode=training)
    learnt = {"s": 1.0, "b": 1.0, "m": 0.5, "v": 1.0}
    weights = [onnx.numpy_helper.from_array(np.full(4, n, "f"), k) for k, n in learnt.items()]
    image = (1, 4, 6, 6)
    model = onnx.model([norm], [onnx.value("x", *image)], [onnx.value("y", *image)], weights)
    path = save(model, tmp_path / "model.onnx")
    found = findings(TRAINING, path)
    first, second = answers(path)
    assert bool(found) == (not np.array_equal(first, second)) == bool(training)
    assert all(finding.severity is Severity.ERROR for finding in found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "kind"), [(".tflite", "RANDOM_STANDARD_NORMAL"), (".onnx", "RandomNormal")]
)
def test_noise_that_was_meant_for_training_is_found(
    keras_models: Path, suffix: str, kind: str
) -> None:
    assert messages(TRAINING, keras_models / f"noisy{suffix}") == [
        f"{kind}: two inferences of one input differ"
    ]


def test_simulated_quantization_is_found(tmp_path: Path) -> None:
    model = tflite.small_cnn()
    options = schema.FakeQuantOptionsT()
    options.min, options.max, options.numBits = -1.0, 1.0, 8
    edits.behind(model, 3, ("FAKE_QUANT", [], options))
    assert messages(TRAINING, edits.write(model, tmp_path / "m.tflite")) == [
        "FAKE_QUANT rounds in float: the model is not quantized"
    ]


@pytest.mark.parametrize(
    "kind", ["FlexConv2DBackpropFilter", "FlexResourceApplyAdam", "FlexReluGrad"]
)
def test_gradients_and_optimizers_are_found(tmp_path: Path, kind: str) -> None:
    model = tflite.small_cnn()
    edits.behind(model, 3, ("CUSTOM", [], None))
    model.operatorCodes[-1].customCode = kind
    path = edits.write(model, tmp_path / "m.tflite")
    assert messages(TRAINING, path) == [f"{kind} is needed to train only"]


def test_losses_are_found(tmp_path: Path) -> None:
    nodes = [node("SoftmaxCrossEntropyLoss", ["x", "t"], ["y"])]
    inputs = [onnx.value("x", 1, 8), onnx.value("t", 1, kind=onnx.TensorProto.INT64)]
    path = save(onnx.model(nodes, inputs, [onnx.value("y")], []), tmp_path / "model.onnx")
    assert messages(TRAINING, path) == ["SoftmaxCrossEntropyLoss is needed to train only"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Adam/dense/kernel/m", True),
        ("sgd/momentum/0", True),
        ("streaming/ring_buffer", False),
        ("madam/state", False),
    ],
)
def test_variables_of_an_optimizer_are_found_and_those_of_a_stream_are_fine(
    tmp_path: Path, name: str, found: bool
) -> None:
    model = tflite.small_cnn()
    graph = model.subgraphs[0]
    options = schema.VarHandleOptionsT()
    options.sharedName = name
    handle = edits.copy_of(graph, 3, "handle", [])
    graph.operators.append(tflite.op(edits.number(model, "VAR_HANDLE"), [], [handle], options))
    expected = [f"the variable '{name}' belongs to an optimizer"] if found else []
    assert messages(TRAINING, edits.write(model, tmp_path / "m.tflite")) == expected


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
@pytest.mark.parametrize("name", ["digits", "mobilenet", "attention", "lstm", "conv1d"])
def test_models_for_inference_have_nothing_of_training(
    keras_models: Path, name: str, suffix: str
) -> None:
    assert messages(TRAINING, keras_models / f"{name}{suffix}") == []


# --- EB217 -------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_lstm_as_a_loop_is_noted(keras_models: Path) -> None:
    (message,) = messages(LOOPED, keras_models / "lstm.tflite")
    body = edits.load(keras_models / "lstm.tflite").subgraphs[2]
    assert b"while_body" in body.name
    assert message == f"a recurrent layer as a loop: {len(body.operators)} ops for each step"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "attention", "noisy"])
def test_models_without_loops_have_no_note(keras_models: Path, name: str) -> None:
    assert messages(LOOPED, keras_models / f"{name}.tflite") == []
