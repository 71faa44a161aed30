"""
Op versions that old runtimes can refuse.

litert-quantizer writes version 1 everywhere. A runtime that does not know
per-channel hybrid kernels then computes nonsense instead of refusing the file.
The rules are those of TensorFlow's op_version.cc, for the three ops where it
matters; an op code gets the highest version that any of its ops needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Types = tuple[str, str, bool]
"""Dtypes of input and weights, and whether the weights are quantized per channel."""


def set_versions(model: Any) -> None:
    """Raise the versions in a ``ModelT`` to what its ops need; never lower one."""
    from ai_edge_litert import schema_py_generated as schema

    rules = {
        schema.BuiltinOperator.CONV_2D: _conv,
        schema.BuiltinOperator.DEPTHWISE_CONV_2D: _depthwise,
        schema.BuiltinOperator.FULLY_CONNECTED: _dense,
    }
    for graph in model.subgraphs:
        for op in graph.operators or []:
            code = model.operatorCodes[op.opcodeIndex]
            rule = rules.get(code.builtinCode)
            if rule:
                code.version = max(code.version, _needed(rule, graph, op))


def _needed(rule: Callable[[Types], int], graph: Any, op: Any) -> int:
    read, weights = (graph.tensors[op.inputs[i]] for i in (0, 1))
    scale = weights.quantization.scale if weights.quantization else None
    per_channel = scale is not None and len(scale) > 1
    return rule((_type(read), _type(weights), per_channel))


def _type(tensor: Any) -> str:
    from ai_edge_litert import schema_py_generated as schema

    names = {number: name for name, number in vars(schema.TensorType).items()}
    return str(names[tensor.type])


def _conv(types: Types) -> int:
    match types:
        case ("INT16", _, _):
            return 4
        case ("INT8", "INT4", _):
            return 7
        case ("INT8", "INT8", _):
            return 3
        case ("FLOAT32", "INT8" | "INT4", per_channel):
            return 5 if per_channel else 2
    return 1


def _depthwise(types: Types) -> int:
    match types:
        case ("INT16", _, _):
            return 5
        case ("INT8", "INT4", _):
            return 7
        case ("INT8", "INT8", _):
            return 3
        case ("FLOAT32", "INT8" | "INT4", per_channel):
            return 6 if per_channel else 4
    return 1


def _dense(types: Types) -> int:
    match types:
        case ("INT16", "INT4", _):
            return 13
        case ("INT16", _, _):
            return 7
        case ("INT8", "INT4", _):
            return 10
        case ("INT8", "INT8", _):
            return 4
        case ("FLOAT32", "INT8" | "INT4", per_channel):
            return 12 if per_channel else 3
    return 1
