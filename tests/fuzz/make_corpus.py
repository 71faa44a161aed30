"""
Writes the seeds of the fuzzer: small models that use what the formats have.

    python tests/fuzz/make_corpus.py [FOLDER]

FOLDER is tests/fuzz/corpus by default. A test compares what is committed with
what this script writes. Needs ai-edge-litert, flatbuffers and onnx.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "graph"))

import onnx_models as om  # noqa: E402
import tflite_models as tfl  # noqa: E402

schema, helper = tfl.schema, om.helper
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


# --- .tflite --------------------------------------------------------------------------


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


# --- .onnx -----------------------------------------------------------------------------


def onnx_branches() -> Any:
    """If, Loop and Scan, with names of the graphs around them."""
    true = om.onnx.numpy_helper.from_array(om.np.array(True), "go")

    def body(name: str, node: Any, inputs: list[Any], outputs: list[Any]) -> Any:
        return helper.make_graph([node], name, inputs, outputs)

    then = body("then", helper.make_node("Add", ["x", "x"], ["t"]), [], [om.value("t", 2, 3)])
    other = body("else", helper.make_node("Mul", ["x", "w"], ["e"]), [], [om.value("e", 2, 3)])
    step = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["d"]), helper.make_node("Relu", ["s"], ["r"])],
        "loop",
        [om.value("i", kind=7), om.value("c", kind=9), om.value("s", 2, 3)],
        [om.value("d", kind=9), om.value("r", 2, 3)],
    )
    scan = helper.make_graph(
        [helper.make_node("Add", ["p", "q"], ["n"]), helper.make_node("Identity", ["n"], ["o"])],
        "scan",
        [om.value("p", 3), om.value("q", 3)],
        [om.value("n", 3), om.value("o", 3)],
    )
    nodes = [
        helper.make_node("If", ["b"], ["y"], then_branch=then, else_branch=other),
        helper.make_node("Loop", ["", "go", "y"], ["z"], body=step),
        helper.make_node("Scan", ["k", "z"], ["l", "m"], body=scan, num_scan_inputs=1),
    ]
    inputs = [om.value("x", "n", 3), om.value("b", kind=9)]
    weights = [om.constant("w", 2, 3), om.constant("k", 3), true]
    return om.model(nodes, inputs, [om.value("m", 2, 3)], weights)


def onnx_quantized() -> Any:
    """QDQ around a convolution, onnxruntime's own ops, dynamic quantization."""
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node("DequantizeLinear", ["w", "v", "u"], ["e"], axis=0),
        helper.make_node("Conv", ["d", "e"], ["c"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Gelu", ["c"], ["g"], domain="com.microsoft"),
        helper.make_node("DynamicQuantizeLinear", ["g"], ["a", "f", "h"]),
        helper.make_node("ConvInteger", ["a", "w", "h"], ["i"]),
    ]
    weights = [
        om.constant("w", 3, 3, 3, 3, dtype="int8"), om.constant("s"),
        om.constant("z", dtype="int8"), om.constant("v", 3), om.constant("u", 3, dtype="int8"),
    ]  # fmt: skip
    return om.model(
        nodes, [om.value("x", 1, 3, 8, 8)], [helper.make_empty_tensor_value_info("i")], weights
    )


def onnx_shapes() -> Any:
    """What exporters write for a Flatten, constants in all kinds of fields, a Resize."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Unsqueeze", ["n", "axis"], ["u"]),
        helper.make_node("Concat", ["u", "rest"], ["t"], axis=0),
        helper.make_node("Reshape", ["x", "t"], ["f"]),
        helper.make_node("Constant", [], ["k"], value_floats=[1.0, 2.5]),
        helper.make_node("Constant", [], ["j"], value_ints=[0, 1]),
        helper.make_node("Slice", ["f", "axis", "end"], ["g"]),
        helper.make_node("Resize", ["x", "", "", "sizes"], ["h"], mode="nearest"),
        helper.make_node("Split", ["h"], ["a", "b"], axis=1),
    ]
    weights = [
        om.onnx.numpy_helper.from_array(om.np.array(0, om.np.int64), "zero"),
        om.integers("axis", 0), om.integers("rest", -1), om.integers("end", 5),
        om.integers("sizes", 1, 2, 8, 8), om.constant("d", 3, dtype="float64", raw=False),
        om.constant("i", 3, dtype="int8", raw=False), om.constant("l", 3, dtype="int64", raw=False),
    ]  # fmt: skip
    outputs = [helper.make_empty_tensor_value_info(name) for name in "gab"]
    return om.model(nodes, [om.value("x", "batch", 2, 4, 4)], outputs, weights)


def onnx_moves() -> Any:
    """Windows and moves of data that have rules for their shapes."""
    nodes = [
        helper.make_node("ConvTranspose", ["x", "w"], ["a"], strides=[2, 2], group=1),
        helper.make_node("MaxPool", ["a"], ["b"], kernel_shape=[2, 2], ceil_mode=1, strides=[2, 2]),
        helper.make_node("AveragePool", ["b"], ["c"], kernel_shape=[2, 2], auto_pad="SAME_UPPER"),
        helper.make_node("DepthToSpace", ["c"], ["d"], blocksize=2),
        helper.make_node("Transpose", ["d"], ["e"], perm=[0, 2, 3, 1]),
        helper.make_node("Pad", ["e", "pads"], ["f"]),
        helper.make_node("ReduceMean", ["f"], ["g"], axes=[1, 2], keepdims=0),
        helper.make_node("Squeeze", ["g", "zero"], ["h"]),
        helper.make_node("Unsqueeze", ["h", "zero"], ["i"]),
        helper.make_node("Expand", ["i", "two"], ["j"]),
        helper.make_node("Gemm", ["j", "j"], ["k"], transB=1),
        helper.make_node("ArgMax", ["k"], ["l"], axis=1),
        helper.make_node("Flatten", ["d"], ["m"], axis=2),
        helper.make_node("GlobalAveragePool", ["d"], ["n"]),
        helper.make_node("ConstantOfShape", ["two"], ["o"]),
        helper.make_node("Cast", ["o"], ["p"], to=6),
        helper.make_node("Mul", ["two", "two"], ["q"]),
        helper.make_node("Reshape", ["p", "q"], ["r"]),
        helper.make_node("GRU", ["y", "gw", "gr"], ["s", "t"], hidden_size=2, layout=1),
    ]
    weights = [
        om.constant("w", 2, 4, 3, 3), om.integers("pads", 0, 1, 1, 0, 0, 1, 1, 0),
        om.integers("zero", 0), om.integers("two", 2, 1), om.constant("gw", 1, 6, 3),
        om.constant("gr", 1, 6, 2),
    ]  # fmt: skip
    outputs = [helper.make_empty_tensor_value_info(name) for name in "lmnrst"]
    return om.model(nodes, [om.value("x", 1, 2, 6, 6), om.value("y", 1, 4, 3)], outputs, weights)


def onnx_lstm() -> Any:
    """Recurrent layers and matrix products; a sparse constant; metadata."""
    nodes = [
        helper.make_node("LSTM", ["x", "w", "r"], ["y", "", "c"], hidden_size=2),
        helper.make_node("MatMul", ["y", "m"], ["p"]),
        helper.make_node("Einsum", ["p", "m"], ["e"], equation="abij,jk->abik"),
    ]
    weights = [om.constant("w", 1, 8, 3), om.constant("r", 1, 8, 2)]
    proto = om.model(
        nodes, [om.value("x", 4, 1, 3)], [helper.make_empty_tensor_value_info("e")], weights
    )
    values, indices = om.constant("m", 2), om.integers("", 0, 3)
    proto.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [2, 2]))
    helper.set_model_props(proto, {"license": "MIT"})
    proto.producer_name = "maker"
    return proto


def onnx_external() -> Any:
    """A constant in a file beside the model."""
    proto = om.small_cnn()
    tensor = proto.graph.initializer[1]
    tensor.ClearField("raw_data")
    tensor.data_location = om.TensorProto.EXTERNAL
    for key, item in {"location": WEIGHTS, "offset": "0", "length": "12"}.items():
        tensor.external_data.add(key=key, value=item)
    return proto


MODELS: dict[str, Callable[[], Any]] = {
    "batch.tflite": batch,
    "behind.tflite": behind,
    "branches.tflite": branches,
    "cnn.tflite": cnn,
    "composite.tflite": composite,
    "loop.tflite": loop,
    "lstm.tflite": lstm,
    "sparse.tflite": sparse,
    "branches.onnx": onnx_branches,
    "cnn.onnx": om.small_cnn,
    "external.onnx": onnx_external,
    "lstm.onnx": onnx_lstm,
    "moves.onnx": onnx_moves,
    "quantized.onnx": onnx_quantized,
    "shapes.onnx": onnx_shapes,
}


def main() -> None:
    """Write all models, by format, and the data of those that have some beside them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "corpus"
    for name, make in MODELS.items():
        place = folder / Path(name).suffix[1:]
        place.mkdir(parents=True, exist_ok=True)
        value = make()
        if not isinstance(value, bytes):
            onnx = hasattr(value, "SerializeToString")
            value = value.SerializeToString(deterministic=True) if onnx else tfl.pack(value)
        (place / Path(name).stem).with_suffix(f".{place.name}").write_bytes(value)
    for place in ("tflite", "onnx"):
        (folder / place / WEIGHTS).write_bytes(bytes(12))


if __name__ == "__main__":
    main()
