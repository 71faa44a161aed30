"""EB202 and EB203: what the op before could do."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.lint.base import Severity
from pytest_edgebudget.lint.structure import unfolded_batch_norm, unfused_activation
from tests.graph import onnx_models as onnx
from tests.graph import tflite_models as tflite
from tests.lint.check import findings, messages
from tests.lint.structure import edits
from tests.lint.structure.runtimes import arena, kept_by_onnxruntime, outputs

UNFUSED, UNFOLDED = unfused_activation.RULE, unfolded_batch_norm.RULE
schema, np, node = tflite.schema, onnx.np, onnx.helper.make_node


# --- EB202 -------------------------------------------------------------------------------


@pytest.mark.slow
def test_activations_that_stand_alone_are_found(keras_models: Path, tmp_path: Path) -> None:
    model = edits.unfuse(edits.load(keras_models / "digits.tflite"))
    found = findings(UNFUSED, edits.write(model, tmp_path / "unfused.tflite"))
    assert [finding.message for finding in found] == [
        "RELU could be part of CONV_2D: 4.00 KiB are written and read once more",  # 8x8x16 floats
        "RELU could be part of CONV_2D: 2.00 KiB are written and read once more",  # 4x4x32 floats
    ]
    assert [finding.severity for finding in found] == [None, None]


@pytest.mark.slow
def test_what_is_found_costs_memory_on_a_microcontroller(
    keras_models: Path, tmp_path: Path
) -> None:
    fused = keras_models / "digits.tflite"
    unfused = edits.write(edits.unfuse(edits.load(fused)), tmp_path / "unfused.tflite")
    assert arena(unfused) > arena(fused) * 1.4  # 10,719 and 7,407 bytes
    np.testing.assert_allclose(outputs(unfused)[0], outputs(fused)[0], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["digits", "digits_int8", "mobilenet", "mobilenet_int8", "residual", "conv1d"]
)
def test_what_the_converter_fused_has_no_finding(keras_models: Path, name: str) -> None:
    assert messages(UNFUSED, keras_models / f"{name}.tflite") == []


def test_an_activation_behind_a_reshape_is_found_and_small_ones_are_notes(tmp_path: Path) -> None:
    model = edits.unfuse(tflite.small_cnn())
    graph = model.subgraphs[0]
    graph.operators = [op for op in graph.operators if op.opcodeIndex != 3]
    conv, reshape, _ = graph.operators
    reshape.inputs = [conv.outputs[0], 4]
    edits.behind(model, 5, ("RELU6", [], None))
    (finding,) = findings(UNFUSED, edits.write(model, tmp_path / "m.tflite"))
    assert finding.message == (
        "RELU6 could be part of CONV_2D: 192 B are written and read once more"
    )
    assert finding.severity is Severity.NOTE


def test_a_result_that_is_used_twice_is_not_fused(tmp_path: Path) -> None:
    model = edits.unfuse(tflite.small_cnn())
    graph = model.subgraphs[0]
    graph.outputs = [*graph.outputs, graph.operators[0].outputs[0]]
    assert messages(UNFUSED, edits.write(model, tmp_path / "m.tflite")) == []


def test_an_activation_behind_another_one_is_not_fused(tmp_path: Path) -> None:
    model = tflite.small_cnn()
    edits.behind(model, 3, ("RELU", [], None))
    assert messages(UNFUSED, edits.write(model, tmp_path / "m.tflite")) == []


# --- EB203: .tflite ----------------------------------------------------------------------


def scaled_cnn(channels: int = 3) -> Any:
    """The small CNN with a batch normalization that was left behind its convolution."""
    model = tflite.small_cnn()
    options = model.subgraphs[0].operators[0].builtinOptions
    options.fusedActivationFunction = 0
    scale = struct.pack(f"<{channels}f", *(0.5 + i for i in range(channels)))
    shift = struct.pack(f"<{channels}f", *(0.25 - i for i in range(channels)))
    mul, add = schema.MulOptionsT(), schema.AddOptionsT()
    factors = edits.constant(model, "scale", [channels], scale)
    offsets = edits.constant(model, "shift", [channels], shift)
    edits.behind(model, 3, ("MUL", [factors], mul), ("ADD", [offsets], add))
    return model


def folded_cnn() -> Any:
    """The same, folded by hand: weights times scale, bias times scale plus shift."""
    model = tflite.small_cnn()
    model.subgraphs[0].operators[0].builtinOptions.fusedActivationFunction = 0
    scale, shift = np.float32([0.5, 1.5, 2.5]), np.float32([0.25, -0.75, -1.75])
    for index, count in ((1, 54), (2, 3)):
        values = np.frombuffer(tflite.floats(count), "f").reshape(3, -1) * scale[:, None]
        values = values + (shift[:, None] if index == 2 else 0)
        model.buffers[index] = tflite.buffer(values.astype("f").tobytes())
    return model


def test_a_scaling_behind_a_convolution_is_found(tmp_path: Path) -> None:
    (finding,) = findings(UNFOLDED, edits.write(scaled_cnn(), tmp_path / "m.tflite"))
    assert finding.message == (
        "MUL and ADD behind CONV_2D could be part of its weights and bias: "
        "384 B are written and read once more"
    )
    assert finding.where == "mul_1"


def test_a_model_that_is_folded_as_advised_has_no_finding_and_answers_the_same(
    tmp_path: Path,
) -> None:
    scaled = edits.write(scaled_cnn(), tmp_path / "scaled.tflite")
    folded = edits.write(folded_cnn(), tmp_path / "folded.tflite")
    assert messages(UNFOLDED, folded) == []
    np.testing.assert_allclose(outputs(scaled)[0], outputs(folded)[0], rtol=1e-4, atol=1e-4)


def test_a_scaling_of_something_else_than_the_channels_is_no_finding(tmp_path: Path) -> None:
    model = tflite.small_cnn()
    model.subgraphs[0].operators[0].builtinOptions.fusedActivationFunction = 0
    rows = edits.constant(model, "rows", [4, 1], tflite.floats(4))  # a number for each column
    edits.behind(model, 3, ("MUL", [rows], schema.MulOptionsT()))
    assert messages(UNFOLDED, edits.write(model, tmp_path / "m.tflite")) == []


def test_a_scaling_behind_an_activation_is_no_finding(tmp_path: Path) -> None:
    model = scaled_cnn()
    model.subgraphs[0].operators[0].builtinOptions.fusedActivationFunction = 1
    assert messages(UNFOLDED, edits.write(model, tmp_path / "m.tflite")) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet", "mobilenet_int8", "residual", "attention", "lstm"])
def test_models_of_keras_have_nothing_to_fold(keras_models: Path, name: str) -> None:
    # residual: the normalizations behind additions cannot be folded
    assert messages(UNFOLDED, keras_models / f"{name}.tflite") == []


# --- EB203: .onnx ------------------------------------------------------------------------

NORM = [onnx.constant(name, 4) for name in ("g", "b", "m")]
NORM.append(onnx.numpy_helper.from_array(np.full(4, 2.0, "float32"), "v"))
CONV = node("Conv", ["x", "w"], ["a"])
NORMALIZE = node("BatchNormalization", ["a", "g", "b", "m", "v"], ["y"])
SCALE = [node("Mul", ["a", "k"], ["s"]), node("Add", ["s", "k"], ["y"])]
GEMM = node("Gemm", ["x", "w"], ["a"])
DENSE = [node("MatMul", ["x", "w"], ["d"]), node("Add", ["d", "g"], ["a"])]

PATTERNS: dict[str, tuple[list[Any], tuple[int, ...]]] = {
    "conv and norm": ([CONV, NORMALIZE], (4, 3, 3, 3)),
    "conv and scale": ([CONV, *SCALE], (4, 3, 3, 3)),
    "transposed": ([node("ConvTranspose", ["x", "w"], ["a"]), NORMALIZE], (3, 4, 3, 3)),
    "conv and bias": ([CONV, node("Add", ["a", "k"], ["y"])], (4, 3, 3, 3)),
    "gemm and norm": ([GEMM, NORMALIZE], (8, 4)),
    "matmul and norm": ([node("MatMul", ["x", "w"], ["a"]), NORMALIZE], (8, 4)),
    "dense and norm": ([*DENSE, NORMALIZE], (8, 4)),
    "dense": ([DENSE[0], node("Add", ["d", "g"], ["y"])], (8, 4)),
}


def pattern(name: str) -> Any:
    nodes, weights = PATTERNS[name]
    image = len(weights) == 4
    x = onnx.value("x", 1, 3, 8, 8) if image else onnx.value("x", 1, 8)
    y = onnx.value("y", 1, 4, "h", "w") if image else onnx.value("y", 1, 4)
    constants = [onnx.constant("w", *weights), onnx.constant("k", 1, 4, 1, 1), *NORM]
    used = {name for item in nodes for name in item.input}
    return onnx.model(nodes, [x], [y], [c for c in constants if c.name in used])


@pytest.mark.parametrize("name", PATTERNS)
def test_a_finding_is_a_note_where_onnxruntime_folds_and_none_is_made_of_a_bias(
    tmp_path: Path, name: str
) -> None:
    model = pattern(name)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    left = set(kept_by_onnxruntime(model, tmp_path)) & {"BatchNormalization", "Mul", "Add"}

    found = findings(UNFOLDED, path)

    if name in ("dense", "conv and bias"):
        assert (found, left) == ([], set())
    else:
        (finding,) = found
        assert ("folds it at each start" in finding.message) == (not left)


@pytest.mark.slow
def test_a_conv1d_of_keras_is_not_folded_by_onnxruntime(keras_models: Path, tmp_path: Path) -> None:
    path = keras_models / "conv1d.onnx"
    assert messages(UNFOLDED, path) == [
        "Mul and Add behind Conv could be part of its weights and bias: "
        "7.50 KiB are written and read once more",  # twice 60x16 floats
        "Add behind Conv could be part of its weights and bias: "
        "1.75 KiB are written and read once more",  # 28x16 floats
    ]
    kept = kept_by_onnxruntime(path.read_bytes(), tmp_path)
    assert (kept.count("Mul"), kept.count("Add")) == (1, 2)


@pytest.mark.reference
def test_a_published_model_has_a_note_for_all_its_normalizations(reference_models: Path) -> None:
    path = reference_models / "ic_resnet8/models/ic_alibaba_float.onnx"
    (finding,) = findings(UNFOLDED, path)
    assert finding.message == (
        "BatchNormalization behind Conv (and 25 more) could be part of its weights and bias: "
        "onnxruntime folds it at each start, a quantizer may not"
    )
    assert finding.severity is Severity.NOTE
