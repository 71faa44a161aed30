from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.passes._onnx_weights import store_weights
from pytest_edgebudget.passes.base import Job
from pytest_edgebudget.types import Step

TOP = {8: 127, 4: 7}


def model_of(path: Path, kind: str, weight: np.ndarray, shape: list[int], **options: int) -> Path:
    """One op with *weight*, in the opset of 2020."""
    import onnx
    from onnx import TensorProto, helper

    node = helper.make_node(kind, ["x", "w"], ["y"], **options)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    made = helper.make_graph([node], "one", [x], [y], [onnx.numpy_helper.from_array(weight, "w")])
    opset = [helper.make_operatorsetid("", 12)]
    onnx.save(helper.make_model(made, opset_imports=opset, ir_version=7), path)
    return path


def unfused(path: Path):
    """Op by op: optimized, some matrix products become kernels that round activations."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options)


KINDS = [
    ("Conv", (5, 3, 3, 3), [1, 3, 8, 8], {}, (1, 2, 3)),
    ("ConvTranspose", (3, 5, 3, 3), [1, 3, 4, 4], {}, (0, 2, 3)),
    ("ConvTranspose", (4, 1, 3, 3), [1, 4, 4, 4], {"group": 4}, (0, 1, 2, 3)),
    ("Gemm", (7, 5), [2, 7], {}, (0,)),
    ("Gemm", (5, 7), [2, 7], {"transB": 1}, (1,)),
    ("MatMul", (7, 5), [2, 7], {}, (0,)),
    ("MatMul", (3, 7, 5), [3, 2, 7], {}, (0, 1)),
]


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize(("kind", "weight", "shape", "options", "others"), KINDS)
def test_the_runtime_computes_with_the_nearest_integers_of_each_channel(
    kind: str, weight: tuple, shape: list, options: dict, others: tuple, bits: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    values = (rng.normal(size=weight) * rng.uniform(0.1, 10, weight)).astype(np.float32)
    model = model_of(tmp_path / "m.onnx", kind, values, shape, **options)
    out = tmp_path / "out.onnx"
    store_weights(Job(model=model, out=out, step=Step("test")), bits)

    scale = abs(values).max(axis=others, keepdims=True) / TOP[bits]
    rounded = (np.rint(values / scale) * scale).astype(np.float32)
    expected = model_of(tmp_path / "expected.onnx", kind, rounded, shape, **options)
    feed = {"x": rng.normal(size=shape).astype(np.float32)}
    answers = [unfused(path).run(None, feed)[0] for path in (out, expected)]
    np.testing.assert_allclose(*answers, rtol=1e-4, atol=1e-4)


def test_a_channel_of_zeros_stays_zero(tmp_path: Path) -> None:
    import onnxruntime

    values = np.ones((7, 5), np.float32)
    values[:, 2] = 0
    model = model_of(tmp_path / "m.onnx", "MatMul", values, [1, 7])
    out = tmp_path / "out.onnx"
    store_weights(Job(model=model, out=out, step=Step("test")), 4)
    (answer,) = onnxruntime.InferenceSession(str(out)).run(None, {"x": np.ones((1, 7), np.float32)})
    np.testing.assert_allclose(answer, [[7, 7, 0, 7, 7]], rtol=1e-6)


def test_int4_is_packed_as_onnx_itself_unpacks_it(tmp_path: Path) -> None:
    import onnx

    values = np.arange(-7, 8, dtype=np.float32).reshape(3, 5)
    model = model_of(tmp_path / "m.onnx", "Gemm", values, [1, 3])
    out = tmp_path / "out.onnx"
    store_weights(Job(model=model, out=out, step=Step("test")), 4)
    stored = {item.name: item for item in onnx.load(out).graph.initializer}["w_quantized"]
    scale = abs(values).max(axis=0) / 7
    assert len(stored.raw_data) == 8
    assert np.array_equal(
        onnx.numpy_helper.to_array(stored).astype(np.int8), np.rint(values / scale)
    )
