"""
Writes the seeds of the fuzzer: small models that use what the formats have.

    python tests/fuzz/make_corpus.py [FOLDER]

FOLDER is tests/fuzz/corpus by default. A test compares what is committed with
what this script writes. Needs ai-edge-litert, flatbuffers and onnx.
"""

from __future__ import annotations

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
