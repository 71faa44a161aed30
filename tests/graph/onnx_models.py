"""Small .onnx files, written with the onnx package."""

from __future__ import annotations

from typing import Any

import pytest

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
np = pytest.importorskip("numpy")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

FLOAT = TensorProto.FLOAT


def constant(name: str, *shape: int, dtype: str = "float32", raw: bool = True) -> Any:
    """An initializer of small numbers; not *raw*: in typed fields."""
    count = int(np.prod(shape))
    values = (np.arange(count) % 17 - 8).astype(dtype).reshape(shape)
    if raw:
        return numpy_helper.from_array(values, name)
    kind = helper.np_dtype_to_tensor_dtype(values.dtype)
    return helper.make_tensor(name, kind, shape, values.flatten().tolist())


def integers(name: str, *values: int) -> Any:
    """An int64 vector, as shapes and axes are."""
    return numpy_helper.from_array(np.array(values, dtype=np.int64), name)


def value(name: str, *shape: int | str, kind: int = FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, list(shape))


def model(nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: list[Any]) -> Any:
    graph = helper.make_graph(nodes, "main", inputs, outputs, initializer=weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def small_cnn() -> Any:
    """2x8x8 -> conv 3x3 to 3 channels, stride 2 -> relu -> flatten -> dense to 5."""
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], "conv", strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("Reshape", ["r", "shape"], ["f"], "flatten"),
        helper.make_node("Gemm", ["f", "d", "e"], ["y"], "dense", transB=1),
    ]
    weights = [
        constant("w", 3, 2, 3, 3),
        constant("b", 3),
        integers("shape", 1, -1),
        constant("d", 5, 48, raw=False),
        constant("e", 5, raw=False),
    ]
    return model(nodes, [value("x", 1, 2, 8, 8)], [value("y", 1, 5)], weights)
