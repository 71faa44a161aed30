"""Weights of an `.onnx` stored as small integers and dequantized before use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_edgebudget.facts import Array
from pytest_edgebudget.passes._onnx import finish, prepared, read
from pytest_edgebudget.passes._weights import ONNX
from pytest_edgebudget.passes.base import Job

OPSET = {8: 13, 4: 21}
"""DequantizeLinear knows an axis from opset 13, int4 from opset 21."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Integers with their scale along *axis* (None: one scale for all)."""

    values: Array
    scale: Array
    axis: int | None


def store_weights(job: Job, bits: int) -> None:
    """
    Write ``job.model`` to ``job.out`` with its weights in *bits* (8 or 4).

    Symmetric, one scale per output channel: scale = max |w| / (2**(bits-1) - 1).
    """
    import onnx

    purpose = f"the pass {job.step.name}"
    model = read(prepared(job, purpose, OPSET[bits]), purpose)
    graph = model.graph
    floats = {t.name: t for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT}
    found = {
        node.input[position]: (node, position)
        for node in graph.node
        for position in ONNX.get(node.op_type, ())
        if position < len(node.input) and node.input[position] in floats
    }
    for name, (node, position) in reversed(found.items()):
        values = onnx.numpy_helper.to_array(floats[name])
        stored = _quantized(values, _axis(node, position, values.ndim), bits)
        graph.initializer.remove(floats[name])
        _add(graph, name, stored, bits)
    finish(job, model)


def _axis(node: Any, position: int, rank: int) -> int | None:
    """Along which axis of the weight the output channels lie."""
    flags = {item.name: item.i for item in node.attribute}
    if node.op_type == "Conv":
        return 0
    if node.op_type == "ConvTranspose":
        return 1 if flags.get("group", 1) in (0, 1) else None
    if position != 1 or rank < 2:
        return None
    if node.op_type == "Gemm":
        return 0 if flags.get("transB", 0) else 1
    return rank - 1


def _quantized(values: Array, axis: int | None, bits: int) -> Stored:
    import numpy as np

    top = 2 ** (bits - 1) - 1
    others = None if axis is None else tuple(i for i in range(values.ndim) if i != axis)
    largest = np.abs(values).max(axis=others, keepdims=axis is not None)
    scale = np.where(largest > 0, largest / top, 1).astype(np.float32)
    integers = np.clip(np.rint(values / scale), -top, top).astype(np.int8)
    return Stored(integers, scale.reshape(() if axis is None else -1), axis)


def _add(graph: Any, name: str, stored: Stored, bits: int) -> None:
    """The integers, their scale, and the node that makes *name* of them."""
    import onnx

    names = (f"{name}_quantized", f"{name}_scale")
    scale = onnx.numpy_helper.from_array(stored.scale, names[1])
    graph.initializer.extend([_integers(stored.values, names[0], bits), scale])
    options = {} if stored.axis is None else {"axis": stored.axis}
    node = onnx.helper.make_node(
        "DequantizeLinear", list(names), [name], f"{name}_dequantized", **options
    )
    graph.node.insert(0, node)


def _integers(values: Array, name: str, bits: int) -> Any:
    import numpy as np
    import onnx

    if bits == 8:
        return onnx.numpy_helper.from_array(values, name)
    # Two values a byte, the first in the low half (ONNX, "Int4 and UInt4").
    nibbles = np.append(values.reshape(-1), np.zeros(values.size % 2, np.int8)).astype(np.uint8)
    data = (nibbles[0::2] & 0xF) | (nibbles[1::2] << 4)
    return onnx.helper.make_tensor(
        name, onnx.TensorProto.INT4, values.shape, data.tobytes(), raw=True
    )
