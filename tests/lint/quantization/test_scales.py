"""Rules over scales and zero points, and over ops that change them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_edgebudget.lint import quantization
from pytest_edgebudget.lint.base import OnDevice, Rule, Severity
from pytest_edgebudget.lint.quantization.asymmetric_weights import RULE as ASYMMETRIC
from pytest_edgebudget.lint.quantization.bias_scale import RULE as BIAS_SCALE
from pytest_edgebudget.lint.quantization.broken_scale import RULE as BROKEN_SCALE
from pytest_edgebudget.lint.quantization.cancelling_quantize import RULE as CANCELLING
from pytest_edgebudget.lint.quantization.collapsed_range import RULE as COLLAPSED
from pytest_edgebudget.lint.quantization.no_op_requantize import RULE as NO_OP
from pytest_edgebudget.lint.quantization.tiny_range import RULE as TINY
from tests.lint import quantized as made
from tests.lint.check import findings, messages

Change = Callable[[Any], None]
DIGITS = made.DIGITS / "digits.tflite"
NAME = "digits_1/edges_relu_1/Relu"


@pytest.fixture(scope="module")
def int8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.int8_digits(tmp_path_factory.mktemp("int8") / "digits_int8.tflite")


def places(rule: Rule, model: Path) -> list[tuple[str, str]]:
    return [(finding.where, finding.message) for finding in findings(rule, model)]


def first_conv(model: Any) -> Any:
    return made.ops_of(model, "CONV_2D")[0]


# --- scales that mean nothing ----------------------------------------------------


def output(**fields: list[float]) -> Change:
    """Change the quantization of what the first convolution makes."""

    def change(model: Any) -> None:
        for name, value in fields.items():
            setattr(made.quantization_of(model, first_conv(model), None), name, value)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (output(scale=[0.0]), "scale 0"),
        (output(scale=[-0.1]), "scale -0.1"),
        (output(scale=[float("nan")]), "scale nan"),
        (output(scale=[float("inf")]), "scale inf"),
        (output(scale=[1e-40]), "scale 9.99995e-41"),
        (output(zeroPoint=[300]), "zero point 300 is no int8 (-128 to 127)"),
    ],
)
def test_a_scale_that_means_nothing_is_one_that_litert_refuses(
    change: Change, said: str, int8: Path, tmp_path: Path
) -> None:
    model = made.edited(int8, tmp_path / "m.tflite", change)
    assert places(BROKEN_SCALE, model) == [(NAME, said)]
    assert made.litert(model).startswith("refused: ")


def test_broken_channels_are_counted(int8: Path, tmp_path: Path) -> None:
    def change(model: Any) -> None:
        kernel = made.quantization_of(model, first_conv(model), 1)
        kernel.scale = [0.0, *kernel.scale[1:-1], float("nan")]

    model = made.edited(int8, tmp_path / "m.tflite", change)
    kernel = "digits_1/edges_1/convolution"
    assert places(BROKEN_SCALE, model) == [(kernel, "scale 0 in 2 of 16 channels")]


# --- results that are lost -------------------------------------------------------


def with_a_dead_layer(out: Path) -> Path:
    """The digits model with biases that keep the first layer's ReLU at zero, as training may."""

    def kill(model: Any) -> None:
        bias = model.subgraphs[0].tensors[first_conv(model).inputs[2]]
        model.buffers[bias.buffer].data = np.frombuffer(
            np.full(bias.shape, -100, "<f4").tobytes(), np.uint8
        )

    return made.edited(DIGITS, out, kill)


def test_a_layer_that_was_dead_on_the_calibration_samples_is_found(tmp_path: Path) -> None:
    dead = with_a_dead_layer(tmp_path / "dead.tflite")
    model = made.by_litert(tmp_path / "m.tflite", made.static(), dead, samples=made.digits())
    dead_layer, after = findings(COLLAPSED, model)
    assert dead_layer.where == NAME
    assert dead_layer.message.startswith("a product counts ")
    assert dead_layer.message.endswith(" steps of the output: nearly every result is clipped")
    assert dead_layer.severity is Severity.ERROR
    assert after.message.endswith(" steps of the output, which never changes")
    assert after.severity is None
    assert "failed to create XNNPACK runtime" in made.litert(model)


def masked(out: Path, lowest: float) -> Path:
    """Scores and an attention mask, then a softmax."""
    from tests.graph import tflite_models as tflite

    mask = np.where(np.tri(8) > 0, 0, lowest).astype("<f4")
    tensors = [
        tflite.tensor("scores", [8, 8]),
        tflite.tensor("mask", [8, 8], buffer=1),
        tflite.tensor("masked", [8, 8]),
        tflite.tensor("shares", [8, 8]),
    ]
    softmax = tflite.schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    ops = [tflite.op(0, [0, 1], [2], tflite.schema.AddOptionsT()), tflite.op(1, [2], [3], softmax)]
    codes = [tflite.code("ADD"), tflite.code("SOFTMAX")]
    graph = tflite.subgraph(tensors, ops, [0], [3])
    signature, ends = tflite.schema.SignatureDefT(), []
    for name, index in (("scores", 0), ("shares", 3)):
        ends.append(tflite.schema.TensorMapT())
        ends[-1].name, ends[-1].tensorIndex = name, index
    signature.signatureKey, signature.inputs, signature.outputs = "serving", ends[:1], ends[1:]
    buffers = [tflite.buffer(), tflite.buffer(mask.tobytes())]
    model = tflite.model(codes, [graph], buffers, signatureDefs=[signature])
    (out.parent / "float.tflite").write_bytes(tflite.pack(model))
    samples = np.random.default_rng(0).normal(size=(50, 8, 8)) * 4
    return made.by_litert(out, made.static(), out.parent / "float.tflite", samples)


def answers(model: Path) -> set[bytes]:
    """What LiteRT answers to ten samples."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(model))
    interpreter.allocate_tensors()
    (read,), (write,) = interpreter.get_input_details(), interpreter.get_output_details()
    random, found = np.random.default_rng(1), set()
    for _ in range(10):
        interpreter.set_tensor(read["index"], random.integers(-128, 128, (8, 8), np.int8))
        interpreter.invoke()
        found.add(interpreter.get_tensor(write["index"]).tobytes())
    return found


def test_an_attention_mask_that_takes_the_whole_range_is_found(tmp_path: Path) -> None:
    model = masked(tmp_path / "m.tflite", -1e9)
    ((where, said),) = places(COLLAPSED, model)
    assert where == "masked"
    assert said.startswith("a step of the output is 3.9e+06, and the whole range of scores is ")
    assert len(answers(model)) == 1


def test_an_attention_mask_of_a_sensible_size_is_no_finding(tmp_path: Path) -> None:
    model = masked(tmp_path / "m.tflite", -30)
    assert findings(COLLAPSED, model) == []
    assert len(answers(model)) == 10


# --- weights and biases that break the specification -----------------------------


def test_weights_with_a_zero_point_are_what_litert_refuses(int8: Path, tmp_path: Path) -> None:
    def change(model: Any) -> None:
        kernel = made.quantization_of(model, first_conv(model), 1)
        kernel.zeroPoint = [5] * len(kernel.scale)

    model = made.edited(int8, tmp_path / "m.tflite", change)
    assert places(ASYMMETRIC, model) == [(NAME, "int8 weights with zero point 5")]
    assert "zero_point->data[i] != 0 (5 != 0)" in made.litert(model)


def test_a_bias_of_another_scale_is_added_as_if_it_had_the_right_one(
    int8: Path, tmp_path: Path
) -> None:
    def change(model: Any) -> None:
        bias = made.quantization_of(model, first_conv(model), 2)
        bias.scale = [4 * scale for scale in bias.scale]

    model = made.edited(int8, tmp_path / "m.tflite", change)
    said = "the scale of the bias is 4 times that of the products"
    assert places(BIAS_SCALE, model) == [(NAME, said)]
    assert made.accuracy(model) == made.accuracy(int8) > 0.95


def test_the_scale_of_a_bias_of_zeros_does_not_matter(int8: Path, tmp_path: Path) -> None:
    """TensorFlow's converter writes another one for int16x8: nothing is learnt from zeros."""

    def change(scale: float) -> Change:
        def edit(model: Any) -> None:
            conv = first_conv(model)
            bias = model.subgraphs[0].tensors[conv.inputs[2]]
            data = bytes(model.buffers[bias.buffer].data)
            model.buffers[bias.buffer].data = np.zeros(len(data), np.uint8)
            bias.quantization.scale = [scale * old for old in bias.quantization.scale]

        return edit

    same = made.edited(int8, tmp_path / "same.tflite", change(1))
    other = made.edited(int8, tmp_path / "other.tflite", change(3))
    assert places(BIAS_SCALE, other) == places(BIAS_SCALE, same) == []
    assert made.accuracy(other) == made.accuracy(same)


def test_a_bias_with_a_zero_point_is_what_litert_refuses(int8: Path, tmp_path: Path) -> None:
    def change(model: Any) -> None:
        bias = made.quantization_of(model, first_conv(model), 2)
        bias.zeroPoint = [100] * len(bias.scale)

    model = made.edited(int8, tmp_path / "m.tflite", change)
    assert places(BIAS_SCALE, model) == [(NAME, "the bias has zero point 100")]
    assert "unsupported zero-point value (100)" in made.litert(model)


# --- ops that undo each other ----------------------------------------------------


def after_the_first_conv(*kinds: str, scale: float | None = None) -> Change:
    """Insert ops; the last makes integers of *scale* (as before), or floats."""

    def change(model: Any) -> None:
        conv = first_conv(model)
        types = {"DEQUANTIZE": "FLOAT32", "QUANTIZE": "INT8"}
        steps = [(kind, made.like(model, conv, types[kind], scale)) for kind in kinds]
        made.insert_after(model, conv, *steps)

    return change


def test_a_dequantize_and_a_quantize_in_a_row_are_found(int8: Path, tmp_path: Path) -> None:
    change = after_the_first_conv("DEQUANTIZE", "QUANTIZE")
    model = made.edited(int8, tmp_path / "m.tflite", change)
    said = "DEQUANTIZE and QUANTIZE with the same scale: 4,096 bytes of floats between them"
    assert places(CANCELLING, model) == [("new", said)]
    assert made.accuracy(model) == made.accuracy(int8)


def test_a_pair_that_changes_the_scale_needs_one_op_only(int8: Path, tmp_path: Path) -> None:
    change = after_the_first_conv("DEQUANTIZE", "QUANTIZE", scale=0.5)
    model = made.edited(int8, tmp_path / "m.tflite", change)
    (said,) = messages(CANCELLING, model)
    assert said.startswith("DEQUANTIZE and QUANTIZE, where one QUANTIZE would do: 4,096 bytes")


def test_simulated_quantization_in_a_float_model_is_found(tmp_path: Path) -> None:
    def simulate(model: Any) -> None:
        conv = first_conv(model)
        integers = made.like(model, conv, "INT8", 0.1, 0)
        made.insert_after(
            model,
            conv,
            ("QUANTIZE", integers),
            ("DEQUANTIZE", made.like(model, conv, "FLOAT32", 1, 0)),
        )

    model = made.edited(DIGITS, tmp_path / "m.tflite", simulate)
    said = "floats are quantized and dequantized again, which only rounds them"
    assert messages(CANCELLING, model) == [said]
    assert made.accuracy(model) > 0.9


def test_a_requantization_to_the_same_scale_changes_nothing(int8: Path, tmp_path: Path) -> None:
    model = made.edited(int8, tmp_path / "m.tflite", after_the_first_conv("QUANTIZE"))
    said = "QUANTIZE of int8 to int8 with the same scale"
    assert places(NO_OP, model) == [("new", said)]
    assert made.accuracy(model) == made.accuracy(int8)


def test_a_requantization_to_another_scale_is_work(int8: Path, tmp_path: Path) -> None:
    change = after_the_first_conv("QUANTIZE", scale=0.5)
    model = made.edited(int8, tmp_path / "m.tflite", change)
    assert findings(NO_OP, model) == []
    assert findings(CANCELLING, model) == []


# --- sound models ----------------------------------------------------------------

SCALES = (BROKEN_SCALE, COLLAPSED, ASYMMETRIC, BIAS_SCALE, CANCELLING, NO_OP)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("granularity", ["CHANNELWISE", "TENSORWISE"])
def test_the_scales_of_a_real_quantizer_are_no_finding(
    bits: int, granularity: str, tmp_path: Path
) -> None:
    recipe = made.static(granularity, bits=bits)
    model = made.by_litert(tmp_path / "m.tflite", recipe, samples=made.digits())
    assert [said for rule in SCALES for said in messages(rule, model)] == []


def test_the_reference_models_have_no_finding(reference_models: Path) -> None:
    for path in [*reference_models.rglob("*.tflite"), *reference_models.rglob("*.onnx")]:
        for rule in quantization.RULES:
            if path.suffix[1:] in rule.formats:
                profile = made.PI if rule.needs is OnDevice else None
                assert messages(rule, path, profile) == [], path.name


# --- calibration on zeros --------------------------------------------------------


def test_calibration_on_zeros_is_found_and_costs_the_accuracy(int8: Path, tmp_path: Path) -> None:
    zeros = np.zeros_like(made.digits())
    model = made.by_litert(tmp_path / "zeros.tflite", made.static(), samples=zeros)
    (finding,) = findings(TINY, model)
    assert (
        finding.message
        == "1 activation has a range of less than 1e-05: 1e-09 for serving_default_image:0"
    )
    assert TINY.severity is Severity.WARNING
    assert made.accuracy(model) < 0.2 < 0.9 < made.accuracy(int8)


def test_real_samples_and_tiny_weights_are_no_tiny_range(int8: Path, tmp_path: Path) -> None:
    assert findings(TINY, int8) == []

    def change(model: Any) -> None:
        kernel = made.quantization_of(model, first_conv(model), 1)
        kernel.scale = [1e-12, *kernel.scale[1:]]

    assert findings(TINY, made.edited(int8, tmp_path / "m.tflite", change)) == []


def test_tiny_ranges_are_told_once_for_a_model_and_inputs_first(int8: Path, tmp_path: Path) -> None:
    def change(model: Any) -> None:
        conv = first_conv(model)
        for place in (None, 0):
            made.quantization_of(model, conv, place).scale = [2e-6 / 255]

    (finding,) = findings(TINY, made.edited(int8, tmp_path / "m.tflite", change))
    assert finding.message == (
        "2 activations have a range of less than 1e-05, an input among them: 2e-06 for serving_default_image:0"
    )
