"""Flaws put into a sound .tflite, with LiteRT's own object API."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.graph import tflite_models as tflite
from tests.graph.tflite_models import schema

RELU = {
    schema.ActivationFunctionType.RELU: "RELU",
    schema.ActivationFunctionType.RELU6: "RELU6",
}


def load(path: Path) -> Any:
    """The model of a file, to be changed."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(path.read_bytes(), 0))


def write(model: Any, path: Path) -> Path:
    path.write_bytes(tflite.pack(model))
    return path


def number(model: Any, kind: str) -> int:
    """A new operator code."""
    model.operatorCodes.append(tflite.code(kind))
    return len(model.operatorCodes) - 1


def copy_of(graph: Any, index: int, name: str, shape: Sequence[int] | None = None) -> int:
    """A new tensor like another one."""
    made = copy.deepcopy(graph.tensors[index])
    made.name, made.buffer = name.encode(), 0
    if shape is not None:
        made.shape = list(shape)
    graph.tensors.append(made)
    return len(graph.tensors) - 1


def constant(model: Any, name: str, shape: list[int], data: bytes, kind: str = "FLOAT32") -> int:
    """A new constant."""
    model.buffers.append(tflite.buffer(data))
    tensors = model.subgraphs[0].tensors
    tensors.append(tflite.tensor(name, shape, kind, len(model.buffers) - 1))
    return len(tensors) - 1


def unfuse(model: Any) -> Any:
    """Each fused RELU becomes an op of its own, as careless converters leave it."""
    graph, ops = model.subgraphs[0], []
    for op in graph.operators:
        ops.append(op)
        kind = RELU.get(getattr(op.builtinOptions, "fusedActivationFunction", 0))
        if kind:
            op.builtinOptions.fusedActivationFunction = 0
            raw = copy_of(graph, op.outputs[0], "raw")
            ops.append(tflite.op(number(model, kind), [raw], [op.outputs[0]]))
            op.outputs = [raw]
    graph.operators = ops
    return model


def behind(model: Any, tensor: int, *ops: tuple[str, list[int], Any]) -> list[int]:
    """
    Ops put behind *tensor*, in a row; whoever used it uses the last one's result.

    Each: kind, further inputs, options. Returns the tensors that they make.
    """
    graph, made, source = model.subgraphs[0], [], tensor
    users = [op for op in graph.operators if tensor in list(op.inputs)]
    position = 1 + next(
        (i for i, op in enumerate(graph.operators) if tensor in list(op.outputs)), -1
    )
    for kind, more, options in ops:
        target = copy_of(graph, tensor, f"{kind.lower()}_{position}")
        op = tflite.op(number(model, kind), [source, *more], [target], options)
        graph.operators.insert(position, op)
        position, source = position + 1, target
        made.append(target)
    for op in users:
        op.inputs = [source if i == tensor else i for i in op.inputs]
    graph.outputs = [source if i == tensor else i for i in graph.outputs]
    return made
