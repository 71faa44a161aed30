"""
Make the worker's bundled models, one convolution and one dense layer each.

A worker runs one of them before it measures memory, so that what a runtime
loads once (its libraries' pages, thread pools, tables) is not counted as the
model's. Needs the extras litert and onnx; the result does not depend on
their versions. Run: python tools/make_warm_models.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent.parent / "pytest_edgebudget" / "worker"
RANDOM = np.random.default_rng(0)
KERNEL = RANDOM.standard_normal((4, 3, 3, 1)).astype(np.float32)  # out, height, width, in
DENSE = RANDOM.standard_normal((3, 8 * 8 * 4)).astype(np.float32)  # out, in


def make_tflite() -> bytes:
    """Float CONV_2D 3x3 with four filters, RESHAPE, FULLY_CONNECTED to three."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.description = 3, b"warm-up model of pytest-edgebudget"
    model.buffers, graph.tensors = [schema.BufferT()], []

    def tensor(name: str, shape: tuple[int, ...], data: np.ndarray | None = None) -> int:
        buffer, each = schema.BufferT(), schema.TensorT()
        buffer.data = None if data is None else np.frombuffer(data.tobytes(), np.uint8)
        model.buffers.append(buffer)
        each.name, each.shape, each.buffer = name.encode(), list(shape), len(model.buffers) - 1
        whole = data is not None and data.dtype == np.int32
        each.type = schema.TensorType.INT32 if whole else schema.TensorType.FLOAT32
        graph.tensors.append(each)
        return len(graph.tensors) - 1

    def code(builtin: int) -> schema.OperatorCodeT:
        each = schema.OperatorCodeT()
        each.builtinCode = each.deprecatedBuiltinCode = builtin
        each.version = 1
        return each

    def operator(
        index: int, inputs: list[int], outputs: list[int], kind: int, options: object
    ) -> schema.OperatorT:
        each = schema.OperatorT()
        each.opcodeIndex, each.inputs, each.outputs = index, inputs, outputs
        each.builtinOptionsType, each.builtinOptions = kind, options
        return each

    x = tensor("x", (1, 8, 8, 1))
    kernel = tensor("kernel", KERNEL.shape, KERNEL)
    bias = tensor("bias", (4,), np.zeros(4, np.float32))
    features = tensor("features", (1, 8, 8, 4))
    shape = tensor("shape", (2,), np.array([1, 256], np.int32))
    flat = tensor("flat", (1, 256))
    dense = tensor("dense", DENSE.shape, DENSE)
    offset = tensor("offset", (3,), np.zeros(3, np.float32))
    y = tensor("y", (1, 3))

    convolution, reshape = schema.Conv2DOptionsT(), schema.ReshapeOptionsT()
    convolution.strideW = convolution.strideH = 1
    convolution.dilationWFactor = convolution.dilationHFactor = 1
    convolution.padding = schema.Padding.SAME
    reshape.newShape = [1, 256]
    kinds, builtin = schema.BuiltinOptions, schema.BuiltinOperator
    model.operatorCodes = [
        code(builtin.CONV_2D),
        code(builtin.RESHAPE),
        code(builtin.FULLY_CONNECTED),
    ]
    graph.operators = [
        operator(0, [x, kernel, bias], [features], kinds.Conv2DOptions, convolution),
        operator(1, [features, shape], [flat], kinds.ReshapeOptions, reshape),
        operator(
            2,
            [flat, dense, offset],
            [y],
            kinds.FullyConnectedOptions,
            schema.FullyConnectedOptionsT(),
        ),
    ]
    graph.inputs, graph.outputs, graph.name = [x], [y], b"main"
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def make_onnx() -> bytes:
    """The same network: Conv, Flatten, Gemm."""
    from onnx import TensorProto, helper, numpy_helper

    float32 = TensorProto.FLOAT
    weights = [
        numpy_helper.from_array(np.ascontiguousarray(KERNEL.transpose(0, 3, 1, 2)), "kernel"),
        numpy_helper.from_array(np.ascontiguousarray(DENSE.T), "dense"),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["features"], pads=[1, 1, 1, 1]),
        helper.make_node("Flatten", ["features"], ["flat"]),
        helper.make_node("Gemm", ["flat", "dense"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "warm",
        [helper.make_tensor_value_info("x", float32, (1, 1, 8, 8))],
        [helper.make_tensor_value_info("y", float32, (1, 3))],
        weights,
    )
    opsets = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="")
    return bytes(model.SerializeToString())


if __name__ == "__main__":
    for name, content in (("warm.tflite", make_tflite()), ("warm.onnx", make_onnx())):
        (FOLDER / name).write_bytes(content)
        print(f"{name}: {len(content)} bytes")
