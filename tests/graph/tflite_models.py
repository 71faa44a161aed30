"""Small .tflite files, written with LiteRT's own object API."""

from __future__ import annotations

import struct
from typing import Any

import pytest

schema = pytest.importorskip(
    "ai_edge_litert.schema_py_generated", reason="ai-edge-litert is not installed"
)


def tensor(
    name: str, shape: list[int], type_: str = "FLOAT32", buffer: int = 0, **more: Any
) -> Any:
    value = schema.TensorT()
    value.name, value.shape, value.buffer = name, shape, buffer
    value.type = getattr(schema.TensorType, type_)
    value.hasRank = True
    for key, item in more.items():
        setattr(value, key, item)
    return value


def quantization(scales: list[float], zero_points: list[int], axis: int = 0) -> Any:
    value = schema.QuantizationParametersT()
    value.scale, value.zeroPoint, value.quantizedDimension = scales, zero_points, axis
    return value


def buffer(data: bytes = b"") -> Any:
    value = schema.BufferT()
    value.data = list(data) or None
    return value


def code(name: str, version: int = 1, old: int | None = None, custom: str | None = None) -> Any:
    value = schema.OperatorCodeT()
    value.builtinCode = getattr(schema.BuiltinOperator, name)
    value.deprecatedBuiltinCode = min(value.builtinCode, 127) if old is None else old
    value.version, value.customCode = version, custom
    return value


def op(index: int, inputs: list[int], outputs: list[int], options: Any = None, **more: Any) -> Any:
    value = schema.OperatorT()
    value.opcodeIndex, value.inputs, value.outputs = index, inputs, outputs
    if options is not None:
        value.builtinOptions = options
        name = type(options).__name__.removesuffix("T")
        value.builtinOptionsType = getattr(schema.BuiltinOptions, name)
    for key, item in more.items():
        setattr(value, key, item)
    return value


def model(codes: list[Any], graphs: list[Any], buffers: list[Any], **more: Any) -> Any:
    value = schema.ModelT()
    value.version, value.description = 3, "test"
    value.operatorCodes, value.subgraphs, value.buffers = codes, graphs, buffers
    for key, item in more.items():
        setattr(value, key, item)
    return value


def subgraph(
    tensors: list[Any], ops: list[Any], inputs: list[int], outputs: list[int], name: str = "main"
) -> Any:
    value = schema.SubGraphT()
    value.tensors, value.operators, value.name = tensors, ops, name
    value.inputs, value.outputs = inputs, outputs
    return value


def pack(value: Any) -> bytes:
    flatbuffers = pytest.importorskip("flatbuffers")
    builder = flatbuffers.Builder(1024)
    builder.Finish(value.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def floats(count: int) -> bytes:
    return struct.pack(f"<{count}f", *(0.125 * (i % 17) - 1 for i in range(count)))


def small_cnn() -> Any:
    """4x4x2 -> conv 3x3 to 3 channels, stride 1, same -> reshape -> dense to 5."""
    conv, dense = schema.Conv2DOptionsT(), schema.FullyConnectedOptionsT()
    conv.padding, conv.strideW, conv.strideH = schema.Padding.SAME, 1, 1
    conv.fusedActivationFunction = schema.ActivationFunctionType.RELU6
    tensors = [
        tensor("input", [1, 4, 4, 2]),
        tensor("kernel", [3, 3, 3, 2], buffer=1),
        tensor("bias", [3], buffer=2),
        tensor("features", [1, 4, 4, 3]),
        tensor("shape", [2], "INT32", buffer=3),
        tensor("flat", [1, 48]),
        tensor("weights", [5, 48], buffer=4),
        tensor("scores", [1, 5]),
    ]
    ops = [
        op(0, [0, 1, 2], [3], conv),
        op(1, [3, 4], [5], schema.ReshapeOptionsT()),
        op(2, [5, 6, -1], [7], dense),
    ]
    buffers = [
        buffer(),
        buffer(floats(54)),
        buffer(floats(3)),
        buffer(struct.pack("<2i", 1, 48)),
        buffer(floats(240)),
    ]
    codes = [code("CONV_2D", 3), code("RESHAPE"), code("FULLY_CONNECTED", 2)]
    return model(codes, [subgraph(tensors, ops, [0], [7])], buffers)
