"""Small .onnx models that use what the format has; see make_corpus.py."""

from __future__ import annotations

from typing import Any

import onnx_models as om

helper = om.helper
WEIGHTS = "weights.bin"


def branches() -> Any:
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


def quantized() -> Any:
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


def shapes() -> Any:
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


def moves() -> Any:
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


def lstm() -> Any:
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


def external() -> Any:
    """A constant in a file beside the model."""
    proto = om.small_cnn()
    tensor = proto.graph.initializer[1]
    tensor.ClearField("raw_data")
    tensor.data_location = om.TensorProto.EXTERNAL
    for key, item in {"location": WEIGHTS, "offset": "0", "length": "12"}.items():
        tensor.external_data.add(key=key, value=item)
    return proto
