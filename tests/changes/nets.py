"""Small .onnx nets whose every byte and product can be counted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
np = pytest.importorskip("numpy")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

ROWS = 4
INPUT = 8

Layer = tuple[str, int]
"""A dense layer's name and width; a width of 0 makes a Relu."""


def chain(path: Path, layers: Sequence[Layer], *, note: str = "") -> Path:
    """Dense layers and Relus, one behind the other, on ROWSxINPUT floats."""
    nodes, weights, width, last = [], [], INPUT, "x"
    for place, (name, size) in enumerate(layers):
        end = "y" if place == len(layers) - 1 else f"t{place}"
        if size:
            values = np.arange(width * size, dtype=np.float32).reshape(width, size) * (place + 1)
            weights.append(numpy_helper.from_array(values, f"w{place}"))
            nodes.append(helper.make_node("MatMul", [last, f"w{place}"], [end], name))
            width = size
        else:
            nodes.append(helper.make_node("Relu", [last], [end], name))
        last = end
    return write(path, nodes, weights, width, note)


def write(path: Path, nodes: list[Any], weights: list[Any], width: int, note: str = "") -> Path:
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [ROWS, size])
        for name, size in (("x", INPUT), ("y", width))
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if note:
        helper.set_model_props(model, {"note": note})
    onnx.save(model, str(path))
    return path
