"""EB219: NaN and infinity among the weights."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.lint.base import Severity
from pytest_edgebudget.lint.structure.not_finite_weights import RULE
from tests.graph import onnx_models as onnx
from tests.graph import tflite_models as tflite
from tests.lint.check import findings, messages
from tests.lint.structure import edits
from tests.lint.structure.runtimes import outputs

np, node = onnx.np, onnx.helper.make_node
NAN, INFINITY = float("nan"), float("inf")
LARGEST = 3.4e38  # a float32 whose last byte is that of NaN


def dense(tmp_path: Path, weights: Any, kind: str = "MatMul") -> Path:
    """One op on x of 1x16 and *weights*."""
    onnx_type = onnx.helper.np_dtype_to_tensor_dtype(weights.dtype)
    model = onnx.model(
        [node(kind, ["x", "w"], ["y"])],
        [onnx.value("x", 1, 16, kind=onnx_type)],
        [onnx.value("y", 1, 16, kind=onnx_type)],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def holding(value: float, dtype: str, place: int = 27) -> Any:
    weights = np.random.default_rng(0).normal(size=(16, 16)).astype(dtype)
    weights.reshape(-1)[place] = value
    return weights


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("value", "said"), [(NAN, "NaN"), (-NAN, "NaN"), (INFINITY, "inf"), (-INFINITY, "-inf")]
)
def test_weights_that_are_no_numbers_are_an_error(
    value: float, said: str, dtype: str, tmp_path: Path
) -> None:
    path = dense(tmp_path, holding(value, dtype))
    assert messages(RULE, path) == [f"{said} in w, element 27 of 256"]
    assert RULE.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("value", "dtype"), [(LARGEST, "float32"), (-65504, "float16"), (1e308, "float64")]
)
def test_the_largest_numbers_are_fine(value: float, dtype: str, tmp_path: Path) -> None:
    assert messages(RULE, dense(tmp_path, holding(value, dtype))) == []


def test_an_infinite_mask_is_fine_and_a_nan_in_it_is_not(tmp_path: Path) -> None:
    mask = np.where(np.tri(16, 16), 0, -np.inf).astype("float32")
    assert messages(RULE, dense(tmp_path, mask, "Add")) == []
    mask[15, 15] = np.nan
    assert messages(RULE, dense(tmp_path, mask, "Add")) == ["NaN in w, element 255 of 256"]


def test_weights_behind_a_dequantize_are_looked_at(tmp_path: Path) -> None:
    half = np.full((5, 48), 0.5, "float16")
    half[4, 47] = np.inf
    model = tflite.small_cnn()
    stored = edits.constant(model, "half", [5, 48], half.tobytes(), "FLOAT16")
    graph = model.subgraphs[0]
    dequantized = edits.copy_of(graph, 6, "w")
    dense_op = graph.operators[-1]
    dense_op.inputs = [dense_op.inputs[0], dequantized, *dense_op.inputs[2:]]
    graph.operators.insert(0, tflite.op(edits.number(model, "DEQUANTIZE"), [stored], [dequantized]))
    path = edits.write(model, tmp_path / "m.tflite")
    assert messages(RULE, path) == ["inf in half, element 239 of 240"]


def test_one_nan_in_a_kernel_reaches_every_output_of_its_channel(tmp_path: Path) -> None:
    model = tflite.small_cnn()
    assert messages(RULE, edits.write(model, tmp_path / "sound.tflite")) == []
    kernel = np.frombuffer(bytes(model.buffers[1].data), "float32").copy()
    kernel[0] = np.nan
    model.buffers[1] = tflite.buffer(kernel.tobytes())
    path = edits.write(model, tmp_path / "m.tflite")
    (finding,) = findings(RULE, path)
    assert finding.message.startswith("NaN in ")
    assert np.isnan(outputs(path)[0]).all()


def test_large_weights_are_read_at_half_a_gigabyte_a_second_at_least(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).standard_normal((16, 1 << 20), dtype="float32")
    weights[15, -1] = np.nan
    path = dense(tmp_path, weights)
    start = time.process_time()
    assert messages(RULE, path) == ["NaN in w, element 16,777,215 of 16,777,216"]
    assert weights.nbytes / (time.process_time() - start) > 500e6
