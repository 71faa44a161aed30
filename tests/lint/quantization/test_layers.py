"""Rules over what layers compute on, and how their weights are quantized."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_edgebudget.lint.base import Severity
from pytest_edgebudget.lint.quantization.dense_zeros import RULE as DENSE_ZEROS
from pytest_edgebudget.lint.quantization.float_ends import RULE as FLOAT_ENDS
from pytest_edgebudget.lint.quantization.float_ops import RULE as FLOAT_OPS
from pytest_edgebudget.lint.quantization.int16_activations import RULE as INT16
from pytest_edgebudget.lint.quantization.mislabelled_float import RULE as MISLABELLED
from pytest_edgebudget.lint.quantization.per_tensor_weights import RULE as PER_TENSOR
from pytest_edgebudget.lint.quantization.saturated_weights import RULE as SATURATED
from pytest_edgebudget.lint.quantization.uint8_arithmetic import RULE as UINT8
from tests.lint import quantized as made
from tests.lint.check import findings, messages

DIGITS = made.DIGITS / "digits.tflite"


@pytest.fixture(scope="module")
def int8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.int8_digits(tmp_path_factory.mktemp("int8") / "digits_int8.tflite")


# --- float ops in an integer model -----------------------------------------------


def test_convolutions_that_a_recipe_passed_over_are_named_with_their_share(tmp_path: Path) -> None:
    recipe = made.static(ops="FULLY_CONNECTED")
    model = made.by_litert(tmp_path / "m.tflite", recipe, samples=made.digits())
    (finding,) = findings(FLOAT_OPS, model)
    # multiply-accumulates by hand: kernel elements * positions of the output
    convolutions, dense = macs_by_shape(model)
    share = f"{convolutions / (convolutions + dense):.0%}"
    assert finding.message.startswith(f"4 of 9 ops compute in float ({share} of the multiply-ac")
    assert "CONV_2D" in finding.message
    assert finding.severity is Severity.WARNING


def macs_by_shape(model: Path) -> tuple[int, int]:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(str(model), experimental_op_resolver_type=plain)
    interpreter.allocate_tensors()
    shapes = {t["index"]: t["shape"] for t in interpreter.get_tensor_details()}
    counts = {"CONV_2D": 0, "FULLY_CONNECTED": 0}
    for op in interpreter._get_ops_details():
        if op["op_name"] == "CONV_2D":
            kernel, made_ = shapes[op["inputs"][1]], shapes[op["outputs"][0]]
            counts["CONV_2D"] += int(np.prod(kernel) * np.prod(made_[1:3]))
        elif op["op_name"] == "FULLY_CONNECTED":
            counts["FULLY_CONNECTED"] += int(np.prod(shapes[op["inputs"][1]]))
    return counts["CONV_2D"], counts["FULLY_CONNECTED"]


def test_an_integer_model_has_no_float_ops(int8: Path) -> None:
    assert findings(FLOAT_OPS, int8) == []


def test_float_and_dynamic_models_have_no_ops_left_over(tmp_path: Path) -> None:
    assert findings(FLOAT_OPS, DIGITS) == []
    assert findings(FLOAT_OPS, made.by_litert(tmp_path / "m.tflite", made.dynamic())) == []


def onnx_digits(tmp_path: Path, **options: Any) -> Path:
    """A float convolutional network, quantized by onnxruntime (QDQ)."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    quantization = pytest.importorskip("onnxruntime.quantization", reason="no onnxruntime")
    from tests.graph.onnx_models import small_cnn

    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            random = np.random.default_rng(0)
            self.left = [random.normal(size=(1, 2, 8, 8)).astype("float32") for _ in range(8)]

        def get_next(self) -> dict[str, Any] | None:
            return {"x": self.left.pop()} if self.left else None

    onnx.save(small_cnn(), tmp_path / "float.onnx")
    out = tmp_path / "quantized.onnx"
    quantization.quantize_static(tmp_path / "float.onnx", out, Reader(), **options)
    return out


def computed_by(model: Path, tmp_path: Path) -> list[str]:
    """The ops that onnxruntime computes, after its optimizations."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(str(model), options, ["CPUExecutionProvider"])
    return [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]


def test_a_float_island_in_an_onnx_is_what_onnxruntime_computes_in_float(tmp_path: Path) -> None:
    model = onnx_digits(tmp_path, op_types_to_quantize=["Gemm", "Relu", "Reshape"])
    (finding,) = findings(FLOAT_OPS, model)
    assert "Conv conv" in finding.message
    assert "Gemm" not in finding.message
    computed = computed_by(model, tmp_path)
    assert {"Conv", "QGemm"} <= set(computed)
    assert "QLinearConv" not in computed


def test_an_onnx_that_onnxruntime_computes_on_integers_has_no_float_island(tmp_path: Path) -> None:
    model = onnx_digits(tmp_path)
    assert findings(FLOAT_OPS, model) == []
    assert {"QLinearConv", "QGemm"} <= set(computed_by(model, tmp_path))


# --- one scale for all channels --------------------------------------------------


def with_a_faint_channel(out: Path) -> Path:
    """The digits model, with one channel of the second convolution 40 times weaker."""

    def weaken(model: Any) -> None:
        conv = made.ops_of(model, "CONV_2D")[1]
        buffer = model.buffers[model.subgraphs[0].tensors[conv.inputs[1]].buffer]
        shape = model.subgraphs[0].tensors[conv.inputs[1]].shape
        weights = np.frombuffer(bytes(buffer.data), "<f4").reshape(shape).copy()
        weights[3] /= 40
        buffer.data = np.frombuffer(weights.tobytes(), np.uint8)

    return made.edited(DIGITS, out, weaken)


def values_of_the_narrowest(model: Path) -> int:
    """By NumPy, from what LiteRT holds: the values between the ends of a channel."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(str(model), experimental_op_resolver_type=plain)
    interpreter.allocate_tensors()
    kernels = (t for t in interpreter.get_tensor_details() if len(t["shape"]) == 4)
    found = [interpreter.get_tensor(t["index"]) for t in kernels if t["dtype"] is np.int8]
    weights = [array.astype(int) for array in found if array.shape[1:3] == (3, 3)]
    return min(2 * int(abs(array).max(axis=(1, 2, 3)).min()) + 1 for array in weights)


def test_a_channel_that_one_scale_leaves_few_values_is_a_warning(tmp_path: Path) -> None:
    faint = with_a_faint_channel(tmp_path / "faint.tflite")
    recipe = made.static("TENSORWISE")
    model = made.by_litert(tmp_path / "m.tflite", recipe, faint, samples=made.digits())
    (finding,) = findings(PER_TENSOR, model)
    used = values_of_the_narrowest(model)
    assert used < 16
    assert finding.message.startswith("2 convolutions have one scale for all channels; one channel")
    assert finding.message.endswith(f"uses {used} of 255 values")
    assert finding.severity is Severity.WARNING


def test_one_scale_that_suits_all_channels_is_a_note(tmp_path: Path) -> None:
    recipe = made.static("TENSORWISE")
    model = made.by_litert(tmp_path / "m.tflite", recipe, samples=made.digits())
    (finding,) = findings(PER_TENSOR, model)
    assert finding.severity is Severity.NOTE
    assert finding.message.endswith(f"uses {values_of_the_narrowest(model)} of 255 values")


def test_scales_a_channel_are_no_finding(int8: Path) -> None:
    assert findings(PER_TENSOR, int8) == []


@pytest.mark.parametrize("form", ["QDQ", "QOperator"])
@pytest.mark.parametrize("per_channel", [False, True])
def test_the_convolutions_of_an_onnx_are_looked_at(
    form: str, per_channel: bool, tmp_path: Path
) -> None:
    from onnxruntime.quantization import QuantFormat, QuantType

    options = {"quant_format": QuantFormat[form], "weight_type": QuantType.QInt8}
    model = onnx_digits(tmp_path, per_channel=per_channel, **options)
    assert len(findings(PER_TENSOR, model)) == (not per_channel)


def test_the_same_scale_for_unlike_channels_is_one_scale(tmp_path: Path) -> None:
    faint = with_a_faint_channel(tmp_path / "faint.tflite")
    recipe = made.static("TENSORWISE")
    model = made.by_litert(tmp_path / "m.tflite", recipe, faint, samples=made.digits())

    def repeat(model: Any) -> None:
        for conv in made.ops_of(model, "CONV_2D"):
            kernel = made.quantization_of(model, conv, 1)
            channels = model.subgraphs[0].tensors[conv.inputs[1]].shape[0]
            kernel.scale = [float(kernel.scale[0])] * channels
            kernel.zeroPoint = [0] * channels

    repeated = made.edited(model, tmp_path / "repeated.tflite", repeat)
    (said,) = messages(PER_TENSOR, repeated)
    assert said.startswith("2 convolutions have one scale for all channels; one channel here uses")


# --- weights that are cut off ----------------------------------------------------


def cut_off(factor: int) -> Any:
    """Scales that are too small by *factor*: larger weights end at -127 or 127."""

    def change(model: Any) -> None:
        for op in [*made.ops_of(model, "CONV_2D"), *made.ops_of(model, "FULLY_CONNECTED")]:
            tensor = model.subgraphs[0].tensors[op.inputs[1]]
            buffer = model.buffers[tensor.buffer]
            weights = np.frombuffer(bytes(buffer.data), np.int8).astype(int) * factor
            buffer.data = np.clip(weights, -127, 127).astype(np.int8).view(np.uint8)
            for place in (1, 2):
                quantization = made.quantization_of(model, op, place)
                quantization.scale = [scale / factor for scale in quantization.scale]
            bias = model.buffers[model.subgraphs[0].tensors[op.inputs[2]].buffer]
            whole = np.frombuffer(bytes(bias.data), np.int32) * factor
            bias.data = whole.astype(np.int32).view(np.uint8)

    return change


def test_weights_that_are_cut_off_are_counted_and_cost_accuracy(int8: Path, tmp_path: Path) -> None:
    model = made.edited(int8, tmp_path / "m.tflite", cut_off(8))
    found = findings(SATURATED, model)
    assert [finding.where for finding in found][:2] == [
        "digits_1/strokes_relu_1/Relu",
        "digits_1/hidden_1/MatMul",
    ]
    assert made.accuracy(model) < 0.9 < made.accuracy(int8)


def test_weights_of_a_real_quantizer_and_ternary_weights_are_not_cut_off(
    int8: Path, tmp_path: Path
) -> None:
    def ternary(model: Any) -> None:
        for op in made.ops_of(model, "FULLY_CONNECTED"):
            buffer = model.buffers[model.subgraphs[0].tensors[op.inputs[1]].buffer]
            weights = np.frombuffer(bytes(buffer.data), np.int8).astype(int)
            signs = np.sign(weights) * (abs(weights) > 20)
            buffer.data = (127 * signs).astype(np.int8).view(np.uint8)

    assert findings(SATURATED, int8) == []
    assert findings(SATURATED, made.edited(int8, tmp_path / "m.tflite", ternary)) == []


# --- float inputs and outputs ----------------------------------------------------


@pytest.fixture(scope="module")
def float_ends(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("ends") / "m.tflite"
    return made.by_litert(out, made.static(ends=False), samples=made.digits())


@pytest.mark.parametrize("profile", [made.CORAL, made.MICRO])
def test_float_ends_on_a_device_of_integers_are_named_with_their_bytes(
    profile: Any, float_ends: Path
) -> None:
    assert messages(FLOAT_ENDS, float_ends, profile) == [
        "this input is float32: 256 bytes where int8 needs 64",
        "this output is float32: 40 bytes where int8 needs 10",
    ]


def test_float_ends_are_right_on_a_computer(float_ends: Path) -> None:
    assert findings(FLOAT_ENDS, float_ends, made.PI) == []


def test_integer_ends_and_float_models_are_no_finding(int8: Path) -> None:
    assert findings(FLOAT_ENDS, int8, made.CORAL) == []
    assert findings(FLOAT_ENDS, DIGITS, made.CORAL) == []


# --- activations of 16 bits ------------------------------------------------------


def delegated(model: Path) -> set[str]:
    """The kinds of ops that LiteRT runs by itself or hands to XNNPACK ("DELEGATE")."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(model))
    interpreter.allocate_tensors()
    return {op["op_name"] for op in interpreter._get_ops_details()}


def test_16_bit_activations_are_slow_where_xnnpack_does_the_work(
    tmp_path: Path, int8: Path
) -> None:
    model = made.by_litert(tmp_path / "m.tflite", made.static(bits=16), samples=made.digits())
    (said,) = messages(INT16, model, made.PI)
    assert said.startswith("4 of 4 layers compute on 16-bit activations, for which litert has no")
    assert findings(INT16, model, made.MICRO) == []
    assert findings(INT16, model, replace(made.PI, kernels="xnnpack")) == []  # EB409 says it
    assert "DELEGATE" not in delegated(model)
    assert findings(INT16, int8, made.PI) == []
    assert "DELEGATE" in delegated(int8)


# --- a file named float ----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("digits_float32", True),
        ("fp32-digits", True),
        ("digits", False),
        ("digits_float_dynamic", False),
        ("floating_digits", False),
    ],
)
def test_a_file_named_float_has_float_weights(name: str, wrong: bool, tmp_path: Path) -> None:
    model = made.by_litert(tmp_path / f"{name}.tflite", made.dynamic())
    said = messages(MISLABELLED, model)
    expected = f"the file is named {name}.tflite, and 4 of its 4 layers have int8 weights"
    assert said == ([expected] if wrong else [])


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("digits_fp32", True), ("digits_int8_float_io", False), ("d_float_io", False)],
)
def test_a_model_on_integers_is_not_to_be_named_float(
    name: str, wrong: bool, int8: Path, tmp_path: Path
) -> None:
    model = Path(shutil.copy(int8, tmp_path / f"{name}.tflite"))
    said = messages(MISLABELLED, model)
    assert said == (
        [
            "the file is named digits_fp32.tflite, and 4 of its 4 layers have int8 weights, "
            "4 of them with integer activations, too"
        ]
        if wrong
        else []
    )


def test_a_float_model_may_be_named_float(tmp_path: Path) -> None:
    assert findings(MISLABELLED, Path(shutil.copy(DIGITS, tmp_path / "digits_fp32.tflite"))) == []


def test_the_keyword_spotter_of_mlperf_tiny_is_no_float_model(
    reference_models: Path, tmp_path: Path
) -> None:
    source = reference_models / "kws_dscnn/models/kws_dynrange.tflite"
    model = Path(shutil.copy(source, tmp_path / "kws_ref_model_float32.tflite"))
    (said,) = messages(MISLABELLED, model)
    assert said.startswith("the file is named kws_ref_model_float32.tflite, and 5 of its 10 layers")


# --- zeros -----------------------------------------------------------------------


def pruned(out: Path, share: float) -> Path:
    """The digits model with the smallest weights of each kernel set to zero."""

    def prune(model: Any) -> None:
        for op in [*made.ops_of(model, "CONV_2D"), *made.ops_of(model, "FULLY_CONNECTED")]:
            buffer = model.buffers[model.subgraphs[0].tensors[op.inputs[1]].buffer]
            weights = np.frombuffer(bytes(buffer.data), "<f4").copy()
            weights[np.argsort(abs(weights))[: int(share * len(weights))]] = 0
            buffer.data = np.frombuffer(weights.tobytes(), np.uint8)

    return made.edited(DIGITS, out, prune)


def large_weights(model: Path) -> int:
    """By LiteRT: the elements of constants of two dimensions and at least 512 elements."""
    from ai_edge_litert.interpreter import Interpreter

    details = Interpreter(str(model)).get_tensor_details()
    kernels = [t["shape"] for t in details if len(t["shape"]) > 1 and t["shape"][0] > 1]
    return sum(int(np.prod(shape)) for shape in kernels if np.prod(shape) > 512)


def test_pruned_weights_that_are_stored_are_counted(tmp_path: Path) -> None:
    model = pruned(tmp_path / "m.tflite", 0.7)
    (said,) = messages(DENSE_ZEROS, model)
    assert said == f"70% of {large_weights(model):,} weights are zero, and stored"
    quantized = made.by_litert(tmp_path / "q.tflite", made.static(), model, samples=made.digits())
    assert len(messages(DENSE_ZEROS, quantized)) == 1


def test_ordinary_weights_have_few_zeros(int8: Path, tmp_path: Path) -> None:
    assert findings(DENSE_ZEROS, DIGITS) == []
    assert findings(DENSE_ZEROS, int8) == []
    assert findings(DENSE_ZEROS, made.by_litert(tmp_path / "m.tflite", made.dynamic(4))) == []


# --- the scheme of old files -----------------------------------------------------


def old_dense() -> bytes:
    """A dense layer of the uint8 scheme."""
    from tests.graph import tflite_models as tflite

    scale = tflite.quantization([0.1], [128])
    tensors = [
        tflite.tensor("x", [1, 8], "UINT8", quantization=scale),
        tflite.tensor("w", [4, 8], "UINT8", buffer=1, quantization=scale),
        tflite.tensor("y", [1, 4], "UINT8", quantization=tflite.quantization([1.0], [128])),
    ]
    op = tflite.op(0, [0, 1, -1], [2], tflite.schema.FullyConnectedOptionsT())
    graph = tflite.subgraph(tensors, [op], [0], [2])
    buffers = [tflite.buffer(), tflite.buffer(bytes(range(32)))]
    return tflite.pack(tflite.model([tflite.code("FULLY_CONNECTED")], [graph], buffers))


def test_layers_on_unsigned_integers_are_what_tflite_micro_refuses(tmp_path: Path) -> None:
    model = tmp_path / "m.tflite"
    model.write_bytes(old_dense())
    assert messages(UINT8, model) == ["1 of 1 layers computes on uint8: y"]
    assert made.litert(model) == "loads"
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    with pytest.raises(RuntimeError):
        runtime.Interpreter.from_bytes(model.read_bytes(), arena_size=10_000).invoke()


def test_unsigned_ends_of_an_int8_model_are_no_finding(int8: Path, tmp_path: Path) -> None:
    def unsigned_end(model: Any) -> None:
        last = made.ops_of(model, "SOFTMAX")[0]
        scale = made.quantization_of(model, last, None).scale[0]
        made.insert_after(model, last, ("QUANTIZE", made.like(model, last, "UINT8", scale, 0)))
        model.subgraphs[0].outputs = [len(model.subgraphs[0].tensors) - 1]

    model = made.edited(int8, tmp_path / "m.tflite", unsigned_end)
    assert made.litert(model) == "loads"
    assert findings(UINT8, model) == []
