"""A .tflite model whose state lies in a variable tensor."""

from __future__ import annotations

import numpy as np


def sum_of_last_two(*, bias: bool = False) -> bytes:
    """
    SVDF of one filter with a memory of two: the sum of its last two inputs.

    *bias*: of nought, for a runtime that crashes where there is none.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model, graph, operator = schema.ModelT(), schema.SubGraphT(), schema.OperatorT()
    model.version, model.buffers, graph.tensors = 3, [schema.BufferT()], []

    def tensor(name: str, shape: list[int], data: list[float] | None = None) -> int:
        each, buffer = schema.TensorT(), schema.BufferT()
        if data is not None:
            buffer.data = np.frombuffer(np.array(data, np.float32).tobytes(), np.uint8)
        model.buffers.append(buffer)
        each.name, each.shape, each.buffer = name.encode(), shape, len(model.buffers) - 1
        each.type = schema.TensorType.FLOAT32
        graph.tensors.append(each)
        return len(graph.tensors) - 1

    x, feature = tensor("x", [1, 1]), tensor("feature", [1, 1], [1])
    time, state, y = tensor("time", [1, 2], [1, 1]), tensor("state", [1, 2]), tensor("y", [1, 1])
    graph.tensors[state].isVariable = True
    nought = tensor("bias", [1], [0]) if bias else -1
    operator.inputs, operator.outputs = [x, feature, time, nought, state], [y]
    operator.builtinOptionsType = schema.BuiltinOptions.SVDFOptions
    operator.builtinOptions = schema.SVDFOptionsT()
    operator.builtinOptions.rank = 1
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.SVDF
    code.version = 1
    graph.inputs, graph.outputs, graph.operators = [x], [y], [operator]
    model.operatorCodes, model.subgraphs = [code], [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
