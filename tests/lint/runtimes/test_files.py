"""Rules over how a file is written: quantized dimensions, sparse weights, signatures, opsets."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.graph import read
from pytest_edgebudget.lint.runtimes.custom_op import RULE as CUSTOM
from pytest_edgebudget.lint.runtimes.invalid_quantized_dimension import RULE as DIMENSION
from pytest_edgebudget.lint.runtimes.missing_signature import RULE as SIGNATURE
from pytest_edgebudget.lint.runtimes.other_ending import RULE as ENDING
from pytest_edgebudget.lint.runtimes.sparse_integer_weights import RULE as SPARSE
from pytest_edgebudget.lint.runtimes.unknown_opset import RULE as OPSET
from tests.lint import quantized as made
from tests.lint.check import findings, messages

Change = Callable[[Any], None]
DIGITS = made.DIGITS / "digits.tflite"


@pytest.fixture(scope="module")
def int8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.int8_digits(tmp_path_factory.mktemp("int8") / "digits_int8.tflite")


# --- quantized dimensions --------------------------------------------------------


def conv(place: int | None, **fields: Any) -> Change:
    """Change the quantization of an input of the first convolution, or of its output."""

    def change(model: Any) -> None:
        quantization = made.quantization_of(model, made.ops_of(model, "CONV_2D")[0], place)
        for name, value in fields.items():
            setattr(quantization, name, value)

    return change


@pytest.mark.parametrize(
    ("change", "said", "refusal"),
    [
        (
            conv(1, quantizedDimension=7),
            "quantized dimension 7 of a tensor with dimensions 0 to 3",
            "quantized_dimension must be in range [0, 4). Was 7.",
        ),
        (
            conv(None, quantizedDimension=7),  # where it means nothing: there is one scale
            "quantized dimension 7 of a tensor with dimensions 0 to 3",
            "quantized_dimension must be in range [0, 4). Was 7.",
        ),
        (
            conv(1, quantizedDimension=1),
            "16 scales for the 3 elements of dimension 1",
            "num_scales must be 1 for per-layer quantization, or 3 for per-axis quantization",
        ),
        (
            conv(1, scale=[0.1] * 15),
            "15 scales and 16 zero points",
            "16 zero_point values and 15 scale values",
        ),
    ],
)
def test_an_invalid_quantized_dimension_is_one_that_litert_refuses(
    change: Change, said: str, refusal: str, int8: Path, tmp_path: Path
) -> None:
    model = made.edited(int8, tmp_path / "m.tflite", change)
    assert messages(DIMENSION, model) == [said]
    assert refusal in made.litert(model)


def test_the_dimensions_of_a_real_quantizer_are_valid(int8: Path) -> None:
    assert findings(DIMENSION, int8) == []
    assert made.litert(int8) == "loads"


# --- sparse weights --------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("dense_int8", True),
        ("dense_dynamic", True),
        ("conv_dynamic", True),
        ("conv_int8", False),
        ("dense_float", False),
        ("conv_float", False),
    ],
)
def test_sparse_weights_are_found_where_litert_refuses_them(
    name: str, refused: bool, tensorflow_models: Path
) -> None:
    model = tensorflow_models / f"{name}.tflite"
    said = made.litert(model)
    assert ("failed to delegate" in said) == refused
    assert (said == "loads") != refused
    assert len(findings(SPARSE, model)) == refused


# --- signatures ------------------------------------------------------------------


def test_a_model_without_a_signature_is_a_note(tmp_path: Path) -> None:
    model = made.edited(
        DIGITS, tmp_path / "m.tflite", lambda model: setattr(model, "signatureDefs", None)
    )
    assert messages(SIGNATURE, model) == ["no signature names the 1 input and 1 output"]
    assert findings(SIGNATURE, DIGITS) == []


# --- endings ---------------------------------------------------------------------


def test_a_tflite_that_is_named_onnx_is_found_and_onnxruntime_cannot_load_it(
    tmp_path: Path,
) -> None:
    renamed = Path(shutil.copy(DIGITS, tmp_path / "digits.onnx"))
    assert messages(ENDING, renamed) == ["this is a .tflite model, and its name ends in .onnx"]
    assert "Protobuf parsing failed" in onnxruntime(renamed)
    assert findings(ENDING, DIGITS) == []
    assert findings(ENDING, Path(shutil.copy(DIGITS, tmp_path / "digits.lite"))) == []


@pytest.mark.parametrize("name", ["digits.tflite", "digits.bin"])
def test_an_onnx_of_another_name_is_to_be_renamed(name: str, tmp_path: Path) -> None:
    renamed = shutil.copy(DIGITS.with_suffix(".onnx"), tmp_path / name)
    with pytest.raises(
        ModelError, match=r"looks like an ONNX model .*\n  rename it to digits.onnx"
    ):
        read(Path(renamed))


# --- .onnx -----------------------------------------------------------------------


def onnx_model(
    path: Path, kind: str = "Relu", domain: str = "", opset: int = 17, ir: int = 9
) -> Path:
    """One op, and for the domain "local" a function that defines it."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    make = onnx.helper
    ends = [make.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
    node = make.make_node(kind, ["x"], ["y"], domain=domain)
    main = make.make_graph([node], "g", ends[:1], ends[1:])
    opsets = [make.make_opsetid("", opset), make.make_opsetid(domain, 1)][: 1 + bool(domain)]
    body = [make.make_node("Relu", ["x"], ["y"])]
    local = make.make_function("local", kind, ["x"], ["y"], body, opsets[:1])
    functions = [local] if domain == "local" else []
    model = make.make_model(main, opset_imports=opsets, functions=functions)
    model.ir_version = ir
    path.write_bytes(model.SerializeToString())
    return path


def onnxruntime(model: Path) -> str:
    """ "loads", or why not."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    try:
        runtime.InferenceSession(str(model), options, ["CPUExecutionProvider"])
    except Exception as error:  # its errors have no base of their own
        return str(error)
    return "loads"


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"opset": 29}, ["opset 29, where onnxruntime 1.32.0 reads 6 to 28"]),
        ({"opset": 5}, ["opset 5, where onnxruntime 1.32.0 reads 6 to 28"]),
        ({"ir": 15}, ["IR version 15, where onnxruntime 1.32.0 reads up to 14"]),
        ({"opset": 28, "ir": 14}, []),
        ({"opset": 6}, []),
    ],
)
def test_an_opset_is_found_where_onnxruntime_refuses_it(
    numbers: dict[str, int], said: list[str], tmp_path: Path
) -> None:
    model = onnx_model(tmp_path / "m.onnx", **numbers)
    assert messages(OPSET, model) == said
    assert (onnxruntime(model) == "loads") != bool(said)


@pytest.mark.parametrize(
    ("kind", "domain", "known"),
    [
        ("Filter", "com.example", False),
        ("Filter", "local", True),
        ("Gelu", "com.microsoft", True),
        ("Relu", "", True),
    ],
)
def test_an_op_is_custom_where_onnxruntime_and_the_model_do_not_define_it(
    kind: str, domain: str, known: bool, tmp_path: Path
) -> None:
    model = onnx_model(tmp_path / "m.onnx", kind, domain)
    name = f"{domain}:{kind}" if domain else kind
    said = f"custom op {name}, which no runtime known here has a kernel for"
    assert messages(CUSTOM, model) == ([] if known else [said])
    assert (onnxruntime(model) == "loads") == known
