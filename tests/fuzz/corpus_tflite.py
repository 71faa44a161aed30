"""Small .tflite models that use what the format has; see make_corpus.py."""

from __future__ import annotations

import struct
from typing import Any

import tflite_models as tfl

schema = tfl.schema
WEIGHTS = "weights.bin"


def options(name: str, **values: Any) -> Any:
    """Options of a builtin op, by the schema's own names."""
    value = getattr(schema, f"{name}OptionsT")()
    for key, item in values.items():
        setattr(value, key, item)
    return value


def one_op(
    kind: str, option: Any, tensors: list[Any], inputs: list[int], outputs: list[int]
) -> Any:
    """A model whose main subgraph is one op."""
    main = tfl.subgraph(tensors, [tfl.op(0, inputs, outputs, option)], [0], outputs)
    return tfl.model([tfl.code(kind)], [main], [tfl.buffer()])


def cnn() -> Any:
    """Quantized per channel, with a signature, metadata and an open batch."""
    value = tfl.small_cnn()
    tensors = value.subgraphs[0].tensors
    tensors[0].shapeSignature = [-1, 4, 4, 2]
    tensors[6].type, tensors[6].quantization = 9, tfl.quantization([0.5] * 5, [0] * 5)
    value.buffers[4] = tfl.buffer(bytes(range(240)))
    signature, image, note = schema.SignatureDefT(), schema.TensorMapT(), schema.MetadataT()
    image.name, image.tensorIndex, signature.signatureKey = "image", 0, "serve"
    signature.inputs, signature.outputs = [image], [image]
    note.name, note.buffer = "min_runtime_version", 5
    value.signatureDefs, value.metadata = [signature], [note]
    value.buffers += [tfl.buffer(b"1.14.0"), tfl.buffer(b"nobody's")]
    return value


def loop() -> Any:
    """WHILE of two subgraphs, and a variable."""
    value = one_op(
        "WHILE",
        options("While", condSubgraphIndex=1, bodySubgraphIndex=2),
        [tfl.tensor("x", [1, 4]), tfl.tensor("y", [1, 4]), tfl.tensor("s", [4], isVariable=True)],
        [0],
        [1],
    )
    flag = [tfl.tensor("a", [1, 4]), tfl.tensor("b", [], "BOOL")]
    body = [tfl.tensor("c", [1, 4]), tfl.tensor("d", [1, 4])]
    value.operatorCodes += [tfl.code("LESS"), tfl.code("ADD")]
    value.subgraphs += [
        tfl.subgraph(flag, [tfl.op(1, [0, 0], [1])], [0], [1], "while"),
        tfl.subgraph(body, [tfl.op(2, [0, 0], [1], options("Add"))], [0], [1], "do"),
    ]
    return value


def branches() -> Any:
    """IF, CALL and CALL_ONCE of the same subgraph."""
    value = one_op(
        "IF",
        options("If", thenSubgraphIndex=1, elseSubgraphIndex=1),
        [tfl.tensor("c", [], "BOOL"), tfl.tensor("x", [2]), tfl.tensor("y", [2])],
        [0, 1],
        [2],
    )
    value.operatorCodes += [tfl.code("CALL"), tfl.code("CALL_ONCE"), tfl.code("LOGISTIC")]
    value.subgraphs[0].operators += [
        tfl.op(1, [1], [2], options("Call", subgraph=1)),
        tfl.op(2, [], [], options("CallOnce", initSubgraphIndex=1)),
    ]
    inner = [tfl.tensor("p", [2]), tfl.tensor("q", [2])]
    value.subgraphs.append(tfl.subgraph(inner, [tfl.op(3, [0], [1])], [0], [1], "branch"))
    return value


def composite() -> Any:
    """A StableHLO composite: options of the second union, bytes among them."""
    value = one_op("STABLEHLO_COMPOSITE", None, [tfl.tensor(n, [3]) for n in "xy"], [0], [1])
    option = options("StableHLOComposite", decompositionSubgraphIndex=1, compositeAttributes=[1, 2])
    option.name = "odml.rms_norm"
    op = value.subgraphs[0].operators[0]
    op.builtinOptions2 = option
    op.builtinOptions2Type = schema.BuiltinOptions2.StableHLOCompositeOptions
    value.operatorCodes.append(tfl.code("RSQRT"))
    inner = [tfl.tensor(n, [3]) for n in "ab"]
    value.subgraphs.append(tfl.subgraph(inner, [tfl.op(1, [0], [1])], [0], [1], "norm"))
    return value


def lstm() -> Any:
    """A fused LSTM: inputs that are left out, variables, intermediates."""
    weights = [tfl.tensor(f"w{i}", [2, 3], "INT8") for i in range(4)]
    recurrent = [tfl.tensor(f"r{i}", [2, 2], "INT8") for i in range(4)]
    bias = [tfl.tensor(f"b{i}", [2], "INT32") for i in range(4)]
    states = [tfl.tensor(n, [1, 2], "INT16", isVariable=True) for n in "hc"]
    scales = [tfl.tensor(f"i{i}", [0], "INT16") for i in range(5)]
    ends = [tfl.tensor("x", [1, 4, 3], "INT8"), tfl.tensor("y", [1, 4, 2], "INT8")]
    tensors = [*ends, *weights, *recurrent, *bias, *states, *scales]
    gone = [-1, -1, -1]
    inputs = [0, *range(2, 6), *range(6, 10), *gone, *range(10, 14), -1, -1, 14, 15]
    option = options("UnidirectionalSequenceLSTM", cellClip=1.5, fusedActivationFunction=4)
    value = one_op("UNIDIRECTIONAL_SEQUENCE_LSTM", option, tensors, inputs, [1])
    value.subgraphs[0].operators[0].intermediates = [*range(16, 21)]
    return value


def sparse() -> Any:
    """Sparse weights, a custom op, blockwise quantization, a string, a resource."""
    value = tfl.small_cnn()
    dense, compressed = schema.DimensionMetadataT(), schema.DimensionMetadataT()
    dense.denseSize, compressed.format = 5, schema.DimensionType.SPARSE_CSR
    compressed.arraySegmentsType = schema.SparseIndexVector.Uint8Vector
    compressed.arraySegments = schema.Uint8VectorT(values=[0, 1, 2, 3, 3, 3])
    compressed.arrayIndicesType = schema.SparseIndexVector.Int32Vector
    compressed.arrayIndices = schema.Int32VectorT(values=[7, 8, 9])
    tensors = value.subgraphs[0].tensors
    tensors[6].sparsity = schema.SparsityParametersT(
        traversalOrder=[0, 1], blockMap=[], dimMetadata=[dense, compressed]
    )
    value.buffers[4] = tfl.buffer(tfl.floats(3))
    details = schema.BlockwiseQuantizationT()
    details.blockSize = 8
    tensors[1].quantization = tfl.quantization([], [])
    tensors[1].quantization.detailsType = schema.QuantizationDetails.BlockwiseQuantization
    tensors[1].quantization.details = details
    value.operatorCodes.append(tfl.code("CUSTOM", custom="Magic"))
    value.subgraphs[0].operators.append(tfl.op(3, [7], [9], customOptions=[1, 2, 3]))
    tensors += [tfl.tensor("text", [1], "STRING"), tfl.tensor("state", [], "RESOURCE")]
    return value


def behind() -> bytes:
    """A constant behind the flatbuffer, and one in a file beside the model."""
    value = tfl.small_cnn()
    group, weights = schema.ExternalBufferGroupT(), schema.ExternalBufferT()
    group.name, weights.id, weights.group, weights.offset, weights.length = WEIGHTS, 7, 0, 0, 12
    value.externalBufferGroups, value.externalBuffers = [group], [weights]
    tensors = value.subgraphs[0].tensors
    tensors[2].buffer, tensors[2].externalBuffer = 0, 7
    data = bytes(value.buffers[4].data)
    value.buffers[4] = schema.BufferT(data=None, offset=2, size=len(data))
    value.buffers[4].offset = len(tfl.pack(value))  # a field of fixed size: the length stays
    return tfl.pack(value) + data


def batch() -> Any:
    """An open batch through ops of several kinds."""
    shapes = {
        "x": [1, 4, 4, 2], "c": [1, 4, 4, 2], "u": [1, 8, 8, 2], "m": [1, 2], "k": [1, 4],
        "b": [2, 2, 2, 2], "o": [1, 4, 4, 2], "f": [1, 2],
    }  # fmt: skip
    tensors = [
        tfl.tensor(name, shape, shapeSignature=[-1, *shape[1:]]) for name, shape in shapes.items()
    ]
    numbers = [[1, 2], [2, 2], [0, 0, 0, 0], [1, 8, 8, 2]]
    buffers = [tfl.buffer(struct.pack(f"<{len(n)}i", *n)) for n in numbers]
    tensors += [tfl.tensor(f"n{i}", [len(n)], "INT32", buffer=i + 1) for i, n in enumerate(numbers)]
    tensors += [tfl.tensor("w", [2, 1, 1, 2], buffer=5), tfl.tensor("d", [2, 2], buffer=5)]
    ops = [
        tfl.op(0, [0, 12, -1], [1], options("Conv2D", strideW=1, strideH=1)),
        tfl.op(1, [11, 12, 1], [2], options("TransposeConv", strideW=2, strideH=2)),
        tfl.op(2, [2, 8], [3], options("Reducer")),
        tfl.op(3, [3, 3], [4], options("Concatenation", axis=1)),
        tfl.op(4, [1, 9, 10], [5]),
        tfl.op(5, [5, 9, 10], [6]),
        tfl.op(6, [3, 13, -1], [7], options("FullyConnected")),
    ]
    kinds = "CONV_2D TRANSPOSE_CONV MEAN CONCATENATION SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND FULLY_CONNECTED"
    main = tfl.subgraph(tensors, ops, [0], [4, 6, 7])
    return tfl.model(
        [tfl.code(kind) for kind in kinds.split()],
        [main],
        [tfl.buffer(), *buffers, tfl.buffer(tfl.floats(4))],
    )
