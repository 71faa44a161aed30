"""`.onnx` files are read as the onnx package and onnxruntime read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx_models as models
import pytest
from onnx_models import constant, helper, integers, np, onnx, value

from pytest_edgebudget import graph
from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.graph.calls import calls
from pytest_edgebudget.graph.ir import Graph, Tensor
from pytest_edgebudget.graph.onnx_tensors import DTYPES

FLOAT, UINT8, INT8, INT32 = 1, 2, 3, 6


def write(folder: Path, proto: Any, name: str = "model.onnx") -> Path:
    path = folder / name
    path.write_bytes(proto.SerializeToString())
    return path


def all_models(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob("*/models/*.onnx"))


def by_name(found: Graph) -> dict[str, Tensor]:
    return {tensor.name: tensor for tensor in found.tensors}


# --- against the onnx package ----------------------------------------------------


def plain(attribute: Any) -> object:
    """An attribute as a plain value; tensors as their name-less arrays."""
    found = helper.get_attribute_value(attribute)
    if isinstance(found, onnx.TensorProto):
        return onnx.numpy_helper.to_array(found).tolist()
    if isinstance(found, bytes):
        return found.decode()
    return found if isinstance(found, int | float) else tuple(found)


def check_ops(found: Graph, proto: Any) -> None:
    names = [tensor.name for tensor in found.tensors]
    for op, node in zip(found.ops, proto.graph.node, strict=True):
        assert op.kind == (f"{node.domain}:{node.op_type}" if node.domain else node.op_type)
        assert op.name == (node.name or node.output[0])
        assert [names[i] if i >= 0 else "" for i in op.inputs] == list(node.input)
        assert [names[i] if i >= 0 else "" for i in op.outputs] == list(node.output)
        expected = {item.name: plain(item) for item in node.attribute}
        assert {name: array(item) for name, item in op.attributes.items()} == expected


def array(item: object) -> object:
    if not isinstance(item, Tensor):
        return item
    return np.frombuffer(item.data, item.dtype).reshape(item.shape).tolist()


def check_constants(found: Graph, proto: Any) -> None:
    tensors = by_name(found)
    for raw in proto.graph.initializer:
        expected = onnx.numpy_helper.to_array(raw)
        tensor = tensors[raw.name]
        assert (tensor.dtype, tensor.shape) == (expected.dtype.name, expected.shape)
        assert bytes(tensor.data or b"") == expected.tobytes()


def check_shapes(found: Graph, proto: Any) -> None:
    """Every shape and type that onnx's own shape inference finds."""
    tensors = by_name(found)
    inferred = onnx.shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True)
    for info in (*inferred.graph.value_info, *inferred.graph.output):
        kind = info.type.tensor_type
        dims = tuple(d.dim_value if d.HasField("dim_value") else -1 for d in kind.shape.dim)
        assert tensors[info.name].shape == dims, info.name
        assert tensors[info.name].dtype == DTYPES[kind.elem_type], info.name


def check(path: Path) -> Graph:
    found, proto = graph.read(path), onnx.load(path)
    check_ops(found, proto)
    check_constants(found, proto)
    check_shapes(found, proto)
    return found


def test_small_model_equals_the_onnx_packages(tmp_path: Path) -> None:
    found = check(write(tmp_path, models.small_cnn()))
    assert (found.format, found.opset, found.external) == ("onnx", 17, ())
    assert [found.tensors[i].name for i in found.main.inputs] == ["x"]


@pytest.mark.reference
def test_real_models_equal_the_onnx_packages(reference_models: Path) -> None:
    for path in all_models(reference_models):
        check(path)


@pytest.mark.reference
def test_inputs_and_outputs_of_real_models_equal_onnxruntimes(reference_models: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    for path in all_models(reference_models):
        session, found = runtime.InferenceSession(str(path)), graph.read(path)
        for ours, theirs in (
            (found.main.inputs, session.get_inputs()),
            (found.main.outputs, session.get_outputs()),
        ):
            assert [found.tensors[i].name for i in ours] == [item.name for item in theirs]
            dims = [tuple(-1 if isinstance(n, str) else n for n in item.shape) for item in theirs]
            assert [found.tensors[i].shape for i in ours] == dims


# --- constants ----------------------------------------------------------------------


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "typed"])
@pytest.mark.parametrize(
    "dtype",
    "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool".split(),  # noqa: SIM905
)
def test_constants_of_every_type_have_their_bytes(tmp_path: Path, dtype: str, raw: bool) -> None:
    proto = models.small_cnn()
    proto.graph.initializer.append(constant("extra", 3, 7, dtype=dtype, raw=raw))
    check_constants(graph.read(write(tmp_path, proto)), proto)


def test_four_bit_constants_stay_packed(tmp_path: Path) -> None:
    proto = models.small_cnn()
    extra = helper.make_tensor("extra", onnx.TensorProto.INT4, (3,), [1, -2, 7])
    proto.graph.initializer.append(extra)
    found = by_name(graph.read(write(tmp_path, proto)))["extra"]
    assert (found.dtype, found.elements) == ("int4", 3)
    # two elements a byte, the first in the low bits (onnx.proto, int32_data)
    assert bytes(found.data or b"") == bytes([0xE1, 0x07])


def test_constant_nodes_are_constants(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Constant", [], ["two"], value_float=2.0),
        helper.make_node("Mul", ["x", "two"], ["y"]),
    ]
    proto = models.model(nodes, [value("x", 1, 3)], [value("y", 1, 3)], [])
    two = by_name(graph.read(write(tmp_path, proto)))["two"]
    assert (two.shape, bytes(two.data or b"")) == ((), np.float32(2).tobytes())


def test_initializers_that_are_listed_as_inputs_are_no_inputs(tmp_path: Path) -> None:
    proto = models.small_cnn()
    proto.graph.input.append(value("w", 3, 2, 3, 3))
    found = graph.read(write(tmp_path, proto))
    assert [found.tensors[i].name for i in found.main.inputs] == ["x"]


def external_model(folder: Path) -> Path:
    path = folder / "model.onnx"
    onnx.save(
        models.small_cnn(), path, save_as_external_data=True, location="w.bin", size_threshold=0
    )
    return path


def test_external_data_is_read_and_listed(tmp_path: Path) -> None:
    path = external_model(tmp_path)
    found = graph.read(path)
    assert found.external == ("w.bin",)
    assert found.external_size == (tmp_path / "w.bin").stat().st_size
    check_constants(found, onnx.load(path))


def test_missing_external_data_is_named(tmp_path: Path) -> None:
    path = external_model(tmp_path)
    (tmp_path / "w.bin").unlink()
    with pytest.raises(ModelError, match=r"model\.onnx: its external data 'w\.bin' cannot be read"):
        graph.read(path)


def test_external_data_at_an_address_is_not_fetched(tmp_path: Path) -> None:
    proto = onnx.load(external_model(tmp_path), load_external_data=False)
    for tensor in proto.graph.initializer:
        for entry in tensor.external_data:
            entry.value = "http://host/w.bin" if entry.key == "location" else entry.value
    path = write(tmp_path, proto)
    with pytest.raises(ModelError) as error:
        graph.read(path)
    assert error.value.message == (
        f"{path}: its external data 'http://host/w.bin' is an address, and nothing is fetched"
    )


def test_external_data_that_is_too_short_is_refused(tmp_path: Path) -> None:
    path = external_model(tmp_path)
    (tmp_path / "w.bin").write_bytes(bytes(10))
    with pytest.raises(
        ModelError, match=r"model\.onnx: of its external data 'w\.bin', bytes .* are"
    ):
        graph.read(path)


@pytest.mark.parametrize("location", ["../w.bin", "/etc/hostname", ""])
def test_external_data_outside_the_folder_is_refused(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    path = external_model(folder)
    (folder / "w.bin").rename(tmp_path / "w.bin")
    proto = onnx.load(path, load_external_data=False)
    for tensor in proto.graph.initializer:
        for entry in tensor.external_data:
            entry.value = location if entry.key == "location" else entry.value
    with pytest.raises(ModelError, match="outside its folder"):
        graph.read(write(folder, proto))


def test_external_data_behind_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    path = external_model(folder)
    (folder / "w.bin").rename(tmp_path / "elsewhere.bin")
    (folder / "w.bin").symlink_to(tmp_path / "elsewhere.bin")
    with pytest.raises(ModelError, match="outside its folder"):
        graph.read(path)


def test_external_data_that_git_lfs_did_not_fetch_is_called_a_pointer(tmp_path: Path) -> None:
    path = external_model(tmp_path)
    (tmp_path / "w.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(ModelError, match=r"its external data 'w\.bin' is a Git LFS pointer"):
        graph.read(path)


# --- shapes, one op at a time -----------------------------------------------------------

X4 = value("x", 1, 6, 9, 11)
X3 = value("x", 2, 5, 8)


def node(kind: str, *inputs: str, **attributes: Any) -> Any:
    domain = attributes.pop("domain", "")
    outputs = attributes.pop("outputs", ["y"])
    return helper.make_node(kind, list(inputs), outputs, domain=domain, **attributes)


CASES = {
    "conv same": (
        [node("Conv", "x", "w", auto_pad="SAME_UPPER", strides=[2, 3])],
        X4, [constant("w", 4, 6, 3, 3)],
    ),
    "conv valid": (
        [node("Conv", "x", "w", auto_pad="VALID")], X4, [constant("w", 4, 6, 3, 3)],
    ),
    "conv dilated, grouped": (
        [node("Conv", "x", "w", group=3, dilations=[2, 2], pads=[1, 2, 3, 4])],
        X4, [constant("w", 6, 2, 3, 3)],
    ),
    "conv 1d": ([node("Conv", "x", "w", strides=[2])], X3, [constant("w", 4, 5, 3)]),
    "transposed": (
        [node("ConvTranspose", "x", "w", strides=[2, 3], pads=[1, 0, 0, 1],
              output_padding=[1, 0])],
        X4, [constant("w", 6, 4, 3, 3)],
    ),
    "transposed, output shape": (
        [node("ConvTranspose", "x", "w", strides=[2, 2], output_shape=[19, 23])],
        X4, [constant("w", 6, 4, 3, 3)],
    ),
    "transposed, grouped": (
        [node("ConvTranspose", "x", "w", group=2)], X4, [constant("w", 6, 4, 3, 3)],
    ),
    "conv integer": (
        [node("ConvInteger", "x", "w")],
        value("x", 1, 6, 9, 11, kind=UINT8), [constant("w", 4, 6, 3, 3, dtype="int8")],
    ),
    "max pool": ([node("MaxPool", "x", kernel_shape=[3, 2], strides=[2, 2])], X4, []),
    "max pool, ceil": (
        [node("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)], X4, [],
    ),
    "average pool": (
        [node("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1])], X4, [],
    ),
    "global pool": ([node("GlobalAveragePool", "x")], X4, []),
    "batch norm": (
        [node("BatchNormalization", "x", "a", "b", "c", "d")],
        X4, [constant(name, 6) for name in "abcd"],
    ),
    "gemm": ([node("Gemm", "x", "w", transA=1)], value("x", 7, 2), [constant("w", 7, 5)]),
    "matmul": ([node("MatMul", "x", "w")], X3, [constant("w", 8, 3)]),
    "matmul, batch": ([node("MatMul", "x", "w")], X3, [constant("w", 4, 1, 8, 3)]),
    "matmul, vector": ([node("MatMul", "x", "w")], X3, [constant("w", 8)]),
    "matmul integer": (
        [node("MatMulInteger", "x", "w")],
        value("x", 2, 8, kind=UINT8), [constant("w", 8, 3, dtype="int8")],
    ),
    "flatten": ([node("Flatten", "x", axis=2)], X4, []),
    "flatten, negative": ([node("Flatten", "x", axis=-1)], X4, []),
    "reshape": ([node("Reshape", "x", "s")], X4, [integers("s", 0, -1, 11)]),
    "transpose": ([node("Transpose", "x", perm=[0, 2, 3, 1])], X4, []),
    "transpose, reversed": ([node("Transpose", "x")], X4, []),
    "concat": ([node("Concat", "x", "x", "w", axis=1)], X3, [constant("w", 2, 1, 8)]),
    "squeeze": ([node("Squeeze", "x", "a")], X4, [integers("a", 0)]),
    "squeeze, all": ([node("Squeeze", "x")], X4, []),
    "unsqueeze": ([node("Unsqueeze", "x", "a")], X3, [integers("a", 0, -1)]),
    "pad": ([node("Pad", "x", "p")], X3, [integers("p", 0, 1, 2, 3, 0, 1)]),
    "gather": ([node("Gather", "x", "i", axis=1)], X3, [integers("i", 0, 2)]),
    "reduce mean": ([node("ReduceMean", "x", axes=[2, 3], keepdims=0)], X4, []),
    "reduce sum": ([node("ReduceSum", "x", "a")], X4, [integers("a", -1)]),
    "arg max": ([node("ArgMax", "x", axis=1, keepdims=0)], X3, []),
    "slice": (
        [node("Slice", "x", "s", "e", "a", "t")],
        X4, [integers("s", 1, -1), integers("e", 99, -6), integers("a", 2, 3),
             integers("t", 2, -2)],
    ),
    "split": (
        [node("Split", "x", "p", axis=1, outputs=["y", "z"])], X3, [integers("p", 2, 3)],
    ),
    "split, equal": ([node("Split", "x", axis=2, outputs=["y", "z"])], X3, []),
    "expand": ([node("Expand", "x", "s")], value("x", 3, 1), [integers("s", 2, 1, 6)]),
    "elementwise": ([node("Add", "x", "w")], X4, [constant("w", 6, 1, 1)]),
    "comparison": ([node("Greater", "x", "w")], X4, [constant("w", 11)]),
    "where": (
        [node("Greater", "x", "w", outputs=["m"]), node("Where", "m", "x", "w")],
        X4, [constant("w", 11)],
    ),
    "softmax": ([node("Softmax", "x", axis=-1)], X3, []),
    "clip": ([node("Clip", "x", "", "m")], X3, [constant("m")]),
    "constant of shape": (
        [node("Shape", "x", outputs=["s"]), node("ConstantOfShape", "s")], X3, [],
    ),
    "constant of shape and type": (
        [node("Shape", "x", outputs=["s"]),
         node("ConstantOfShape", "s", value=helper.make_tensor("v", INT32, [1], [7]))],
        X3, [],
    ),
    "cast": ([node("Cast", "x", to=INT32)], X3, []),
    "depth to space": (
        [node("DepthToSpace", "x", blocksize=2)], value("x", 1, 8, 3, 5), [],
    ),
    "lstm": (
        [node("LSTM", "x", "w", "r", hidden_size=4, direction="bidirectional",
              outputs=["y", "h", "c"])],
        X3, [constant("w", 2, 16, 8), constant("r", 2, 16, 4)],
    ),
    "gru": (
        [node("GRU", "x", "w", "r", hidden_size=4, outputs=["y", "h"])],
        X3, [constant("w", 1, 12, 8), constant("r", 1, 12, 4)],
    ),
    "quantize": (
        [node("QuantizeLinear", "x", "s", "z"),
         node("DequantizeLinear", "y", "s", "z", outputs=["d"])],
        X3, [constant("s"), constant("z", dtype="int8")],
    ),
    "quantize dynamically": (
        [node("DynamicQuantizeLinear", "x", outputs=["y", "s", "z"])], X3, [],
    ),
    "qlinear conv": (
        [node("QLinearConv", "x", "s", "z", "w", "s", "v", "s", "z")],
        value("x", 1, 6, 9, 11, kind=UINT8),
        [constant("s"), constant("z", dtype="uint8"), constant("v", dtype="int8"),
         constant("w", 4, 6, 3, 3, dtype="int8")],
    ),
    "qlinear matmul": (
        [node("QLinearMatMul", "x", "s", "z", "w", "s", "v", "s", "z")],
        value("x", 2, 8, kind=UINT8),
        [constant("s"), constant("z", dtype="uint8"), constant("v", dtype="int8"),
         constant("w", 8, 3, dtype="int8")],
    ),
    "flatten as exporters write it": (
        [node("Shape", "x", outputs=["s"]), node("Gather", "s", "zero", outputs=["n"]),
         node("Unsqueeze", "n", "axis", outputs=["u"]),
         node("Concat", "u", "rest", axis=0, outputs=["t"]), node("Reshape", "x", "t")],
        X4,
        [onnx.numpy_helper.from_array(np.array(0, np.int64), "zero"), integers("axis", 0),
         integers("rest", -1)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_shape_and_type_equal_onnx_shape_inference(tmp_path: Path, name: str) -> None:
    nodes, data, weights = CASES[name]
    proto = models.model(nodes, [data], [], weights)
    proto.graph.output.extend(helper.make_empty_tensor_value_info(n) for n in nodes[-1].output)
    check_shapes(graph.read(write(tmp_path, proto)), proto)


@pytest.mark.parametrize("name", [name for name in CASES if name != "squeeze, all"])
def test_shape_with_a_dynamic_batch_is_never_a_guess(tmp_path: Path, name: str) -> None:
    nodes, data, weights = CASES[name]
    dynamic = onnx.ValueInfoProto()
    dynamic.CopyFrom(data)
    dynamic.type.tensor_type.shape.dim[0].dim_param = "batch"
    proto = models.model(nodes, [dynamic], [], weights)
    proto.graph.output.extend(helper.make_empty_tensor_value_info(n) for n in nodes[-1].output)
    found = by_name(graph.read(write(tmp_path, proto)))
    inferred = onnx.shape_inference.infer_shapes(proto, data_prop=True)
    for info in inferred.graph.output:
        dims = info.type.tensor_type.shape.dim
        shape = found[info.name].shape
        if shape is None or not info.type.tensor_type.HasField("shape"):
            continue
        assert len(shape) == len(dims)
        for ours, theirs in zip(shape, dims, strict=True):
            assert ours in (-1, theirs.dim_value) or not theirs.HasField("dim_value")


def test_the_file_says_what_wrote_it_and_which_operators_it_imports(tmp_path: Path) -> None:
    proto = models.small_cnn()
    proto.producer_name, proto.producer_version, proto.doc_string = "maker", "1.2", "for tests"
    helper.set_model_props(proto, {"license": "MIT"})
    found = graph.read(write(tmp_path, proto))
    assert (found.ir_version, found.producer, found.description) == (9, "maker 1.2", "for tests")
    assert found.opsets == {"": 17, "com.microsoft": 1}
    assert [(item.name, bytes(item.data)) for item in found.metadata] == [("license", b"MIT")]


def test_an_unknown_op_has_no_output_shape(tmp_path: Path) -> None:
    nodes = [node("Magic", "x", domain="my.domain", outputs=["m"]), node("Relu", "m")]
    proto = models.model(nodes, [X3], [helper.make_empty_tensor_value_info("y")], [])
    found = graph.read(write(tmp_path, proto))
    assert [op.kind for op in found.ops] == ["my.domain:Magic", "Relu"]
    assert found.ops[0].custom
    assert by_name(found)["y"].shape is None


# --- more of the format --------------------------------------------------------------------


def test_dequantized_tensors_know_their_scales(tmp_path: Path) -> None:
    weights = [
        constant("w", 3, 4, dtype="int8"), constant("s", 4), constant("z", 4, dtype="int8"),
    ]  # fmt: skip
    nodes = [node("DequantizeLinear", "w", "s", "z", axis=1, outputs=["d"]), node("Add", "x", "d")]
    proto = models.model(nodes, [value("x", 3, 4)], [value("y", 3, 4)], weights)
    found = by_name(graph.read(write(tmp_path, proto)))["w"].quantization
    assert found is not None
    assert found.scales == (-8.0, -7.0, -6.0, -5.0)
    assert (found.zero_points, found.axis) == ((-8, -7, -6, -5), 1)


def test_zero_points_that_do_not_fit_the_scales_are_left_out(tmp_path: Path) -> None:
    weights = [constant("w", 3, 4, dtype="int8"), constant("s", 4), constant("z", 3, dtype="int8")]
    nodes = [node("DequantizeLinear", "w", "s", "z", axis=1, outputs=["d"]), node("Add", "x", "d")]
    proto = models.model(nodes, [value("x", 3, 4)], [value("y", 3, 4)], weights)
    found = by_name(graph.read(write(tmp_path, proto)))["w"].quantization
    assert found is not None
    assert (len(found.scales), found.zero_points) == (4, (0, 0, 0, 0))


def test_branches_are_subgraphs_that_see_the_tensors_around_them(tmp_path: Path) -> None:
    def branch(name: str) -> Any:
        body = [helper.make_node("MatMul", ["x", "w"], [name])]
        return helper.make_graph(body, name, [], [value(name, 2, 3)])

    nodes = [helper.make_node("If", ["c"], ["y"], then_branch=branch("t"), else_branch=branch("e"))]
    inputs = [value("x", 2, 8), value("c", kind=onnx.TensorProto.BOOL)]
    proto = models.model(nodes, inputs, [value("y", 2, 3)], [constant("w", 8, 3)])
    found = graph.read(write(tmp_path, proto))
    names = [sub.name for sub in found.subgraphs]
    assert sorted(names) == ["e", "main", "t"]
    branches = found.ops[0].attributes
    assert branches == {"then_branch": names.index("t"), "else_branch": names.index("e")}
    assert sorted(calls(found.ops[0])) == [1, 2]
    weights = [tensor for tensor in found.subgraphs[1].tensors if tensor.name == "w"]
    assert weights[0].data is by_name(found)["w"].data


def test_a_value_that_nothing_makes_is_refused(tmp_path: Path) -> None:
    proto = models.model([node("Relu", "nowhere")], [X3], [value("y", 2, 5, 8)], [])
    with pytest.raises(ModelError, match="value 'nowhere' is used, and nothing before made it"):
        graph.read(write(tmp_path, proto))


def test_an_output_without_a_name_is_refused(tmp_path: Path) -> None:
    proto = models.small_cnn()
    proto.graph.output[0].name = ""
    with pytest.raises(ModelError, match="an output without a name"):
        graph.read(write(tmp_path, proto))


def test_ops_that_are_not_in_order_are_refused(tmp_path: Path) -> None:
    nodes = [node("Relu", "m"), node("Neg", "x", outputs=["m"])]
    proto = models.model(nodes, [X3], [value("y", 2, 5, 8)], [])
    with pytest.raises(ModelError, match="value 'm' is used before the op that makes it"):
        graph.read(write(tmp_path, proto))


def test_ops_in_a_ring_are_refused(tmp_path: Path) -> None:
    nodes = [node("Add", "x", "y", outputs=["m"]), node("Relu", "m")]
    proto = models.model(nodes, [X3], [value("y", 2, 5, 8)], [])
    with pytest.raises(ModelError, match="in a ring, or not in order"):
        graph.read(write(tmp_path, proto))


def test_deeply_nested_graphs_are_refused_not_followed(tmp_path: Path) -> None:
    inner = b""
    for _ in range(3000):  # graph { node { attribute { graph ... } } }
        for field in (b"\x32", b"\x2a", b"\x0a"):
            inner = field + onnx_varint(len(inner)) + inner
    path = tmp_path / "deep.onnx"
    path.write_bytes(b"\x3a" + onnx_varint(len(inner)) + inner + b"\x42\x02\x10\x11")
    with pytest.raises(ModelError, match="nested more than 64 deep"):
        graph.read(path)


def onnx_varint(number: int) -> bytes:
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])
