"""`.tflite` files are read as LiteRT and its schema read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tflite_models as tfl

from pytest_edgebudget import graph
from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.graph.calls import CALLERS, calls
from pytest_edgebudget.graph.ir import Dimension, Signature, Sparsity
from pytest_edgebudget.graph.tflite_options import layout
from pytest_edgebudget.graph.tflite_schema import TABLES

schema = tfl.schema


def write(folder: Path, value: Any, name: str = "model.tflite") -> Path:
    path = folder / name
    path.write_bytes(value if isinstance(value, bytes) else tfl.pack(value))
    return path


def all_models(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob("*/models/*.tflite"))


# --- against the schema's own object API ---------------------------------------


def plain(value: object) -> object:
    """What the object API returns, as tuples and plain numbers."""
    if value is None:
        return ()
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return tuple(value) if isinstance(value, list | bytes) else value


def options_of(op: Any) -> dict[str, object]:
    """The options of an op by their snake-case names; enums stay numbers."""
    if op.builtinOptions is None:
        return {}
    return {
        re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): plain(value)
        for name, value in vars(op.builtinOptions).items()
    }


def enums_by_name(name: str, value: object) -> dict[str, object]:
    """The same options with enum numbers replaced by the schema's names."""
    enums = {field.name: field.enum for field in layout(name) if field.enum}
    assert isinstance(value, dict)
    return {
        key: member_name(enums[key], item) if key in enums else item for key, item in value.items()
    }


def member_name(enum: str, number: object) -> str:
    members = vars(getattr(schema, enum))
    return next(name for name, value in members.items() if value == number)


def check_against_schema(path: Path) -> None:
    ours = graph.read(path)
    theirs = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    names = {value: name for name, value in vars(schema.BuiltinOperator).items()}
    for sub, expected in zip(ours.subgraphs, theirs.subgraphs, strict=True):
        assert sub.inputs == plain(expected.inputs)
        assert sub.outputs == plain(expected.outputs)
        for op, raw in zip(sub.ops, expected.operators, strict=True):
            code = theirs.operatorCodes[raw.opcodeIndex]
            number = max(code.builtinCode, code.deprecatedBuiltinCode)
            assert (op.kind, op.version) == (names[number], code.version)
            assert (op.inputs, op.outputs) == (plain(raw.inputs), plain(raw.outputs))
            union = type(raw.builtinOptions).__name__.removesuffix("T")
            found = {name: plain(value) for name, value in op.attributes.items()}
            assert found == enums_by_name(union, options_of(raw))
        for tensor, raw in zip(sub.tensors, expected.tensors, strict=True):
            data = theirs.buffers[raw.buffer].data
            assert tensor.name == raw.name.decode()
            assert (tensor.data is None) == (data is None or len(data) == 0)
            if tensor.data is not None:
                assert bytes(tensor.data) == bytes(data)


def test_small_model_equals_the_schemas_object_api(tmp_path: Path) -> None:
    check_against_schema(write(tmp_path, tfl.small_cnn()))


@pytest.mark.reference
def test_real_models_equal_the_schemas_object_api(reference_models: Path) -> None:
    for path in all_models(reference_models):
        check_against_schema(path)


# --- against the interpreter ------------------------------------------------------


@pytest.mark.reference
def test_tensors_of_real_models_equal_the_interpreters(reference_models: Path) -> None:
    litert = pytest.importorskip("ai_edge_litert.interpreter", reason="ai-edge-litert")
    for path in all_models(reference_models):
        interpreter = litert.Interpreter(
            str(path),
            experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        details = {item["index"]: item for item in interpreter.get_tensor_details()}
        main = graph.read(path)
        for index, tensor in enumerate(main.tensors):
            detail = details[index]
            shape = detail["shape_signature"] if len(detail["shape_signature"]) else detail["shape"]
            assert tensor.name == detail["name"]
            assert tensor.shape == tuple(shape.tolist())
            assert tensor.dtype == detail["dtype"].__name__.rstrip("_")
            expected = detail["quantization_parameters"]
            found = tensor.quantization
            assert (found.scales if found else ()) == tuple(expected["scales"].tolist())
            assert (found.zero_points if found else ()) == tuple(expected["zero_points"].tolist())
            if found and found.axis is not None:
                assert found.axis == expected["quantized_dimension"]
        assert main.main.inputs == tuple(i["index"] for i in interpreter.get_input_details())
        assert main.main.outputs == tuple(i["index"] for i in interpreter.get_output_details())


# --- corners of the format ---------------------------------------------------------


def test_the_larger_of_both_operator_codes_counts(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    value.operatorCodes[0].builtinCode = 0  # as files before schema 3a have it
    value.operatorCodes[2].deprecatedBuiltinCode = 0  # as some tools write it
    kinds = [op.kind for op in graph.read(write(tmp_path, value)).ops]
    assert kinds == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED"]


def test_options_carry_the_formats_own_names(tmp_path: Path) -> None:
    conv = graph.read(write(tmp_path, tfl.small_cnn())).ops[0]
    assert conv.attributes == {
        "padding": "SAME",
        "stride_w": 1,
        "stride_h": 1,
        "fused_activation_function": "RELU6",
        "dilation_w_factor": 1,
        "dilation_h_factor": 1,
        "quantized_bias_type": "FLOAT32",
    }


def test_custom_ops_are_called_by_their_custom_code(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    value.operatorCodes[1] = tfl.code("CUSTOM", custom="AudioMagic")
    value.subgraphs[0].operators[1] = tfl.op(1, [3], [5], customOptions=[1, 2, 3])
    found = graph.read(write(tmp_path, value)).ops[1]
    assert (found.kind, found.custom) == ("AudioMagic", True)
    assert found.attributes == {"custom_options": b"\x01\x02\x03"}


def test_per_channel_quantization_and_small_types(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    tensors = value.subgraphs[0].tensors
    tensors[6].type, tensors[6].quantization = 17, tfl.quantization([0.5] * 5, [0] * 5)
    value.buffers[4] = tfl.buffer(bytes(120))
    weights = graph.read(write(tmp_path, value)).tensors[6]
    assert (weights.dtype, weights.elements, weights.stored_bytes) == ("int4", 240, 120)
    assert weights.quantization is not None
    assert (weights.quantization.axis, len(weights.quantization.scales)) == (0, 5)


def test_variables_and_dynamic_dimensions_are_marked(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    tensors = value.subgraphs[0].tensors
    tensors[3].isVariable, tensors[0].shapeSignature = True, [-1, 4, 4, 2]
    main = graph.read(write(tmp_path, value))
    assert main.tensors[3].variable
    assert (main.tensors[0].shape, main.tensors[0].elements) == ((-1, 4, 4, 2), None)


def test_constants_behind_the_flatbuffer_are_found(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    data = bytes(value.buffers[4].data)
    value.buffers[4] = schema.BufferT(data=None, offset=2, size=len(data))
    end = len(tfl.pack(value))  # the offset is a fixed-size field: the length stays
    value.buffers[4].offset = end
    found = graph.read(write(tmp_path, tfl.pack(value) + data)).tensors[6]
    assert found.data is not None
    assert bytes(found.data) == data


def test_tensors_of_one_buffer_share_one_view(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    value.subgraphs[0].tensors.append(tfl.tensor("again", [5, 48], buffer=4))
    main = graph.read(write(tmp_path, value))
    assert main.tensors[6].data is main.tensors[8].data


def test_signature_names_map_to_tensors(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    signature, inputs, outputs = schema.SignatureDefT(), schema.TensorMapT(), schema.TensorMapT()
    inputs.name, inputs.tensorIndex, outputs.name, outputs.tensorIndex = "image", 0, "digit", 7
    signature.inputs, signature.outputs = [inputs], [outputs]
    signature.signatureKey, value.signatureDefs = "serving_default", [signature]
    found = graph.read(write(tmp_path, value))
    assert found.signature == ({"image": 0}, {"digit": 7})
    assert found.signatures == (Signature("serving_default", 0, {"image": 0}, {"digit": 7}),)


def test_signatures_of_other_subgraphs_are_listed_and_are_not_the_main_one(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    value.subgraphs.append(tfl.subgraph([tfl.tensor("x", [1])], [], [0], [0], "other"))
    signature, names = schema.SignatureDefT(), schema.TensorMapT()
    names.name, names.tensorIndex = "x", 0
    signature.inputs, signature.outputs = [names], [names]
    signature.signatureKey, signature.subgraphIndex = "other", 1
    value.signatureDefs = [signature]
    found = graph.read(write(tmp_path, value))
    assert found.signature is None
    assert found.signatures == (Signature("other", 1, {"x": 0}, {"x": 0}),)


# --- what rules ask for --------------------------------------------------------------


def test_the_stated_dimension_of_one_scale_is_kept_though_it_means_nothing(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    value.subgraphs[0].tensors[0].quantization = tfl.quantization([0.5], [3], axis=9)
    found = graph.read(write(tmp_path, value)).tensors[0].quantization
    assert found is not None
    assert (found.axis, found.dimension) == (None, 9)


def test_a_dynamic_shape_comes_with_the_one_that_a_runtime_starts_with(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    value.subgraphs[0].tensors[0].shapeSignature = [-1, 4, 4, 2]
    first, second = graph.read(write(tmp_path, value)).tensors[:2]
    assert (first.shape, first.default_shape) == ((-1, 4, 4, 2), (1, 4, 4, 2))
    assert second.default_shape is None


def test_sparse_tensors_say_where_their_elements_are(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    dense, compressed = schema.DimensionMetadataT(), schema.DimensionMetadataT()
    dense.format, dense.denseSize = schema.DimensionType.DENSE, 5
    compressed.format = schema.DimensionType.SPARSE_CSR
    compressed.arraySegmentsType = schema.SparseIndexVector.Uint8Vector
    compressed.arraySegments = schema.Uint8VectorT(values=[0, 1, 2, 3, 3, 3])
    compressed.arrayIndicesType = schema.SparseIndexVector.Uint16Vector
    compressed.arrayIndices = schema.Uint16VectorT(values=[7, 8, 9])
    value.subgraphs[0].tensors[6].sparsity = schema.SparsityParametersT(
        traversalOrder=[0, 1], blockMap=[], dimMetadata=[dense, compressed]
    )
    value.buffers[4] = tfl.buffer(tfl.floats(3))
    found = graph.read(write(tmp_path, value)).tensors[6]
    rows, columns = Dimension("dense", 5), Dimension("sparse_csr", 0, 6, 3)
    assert found.sparse
    assert found.sparsity == Sparsity((0, 1), (), (rows, columns), index_bytes=6 + 2 * 3)


def test_tensors_inside_a_fused_op_are_listed(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    value.subgraphs[0].operators[1].intermediates = [4, -1, 5]
    assert graph.read(write(tmp_path, value)).ops[1].intermediates == (4, -1, 5)


def test_metadata_is_named_and_buffers_of_nobody_are_counted(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    value.buffers += [tfl.buffer(b"1.14.0"), tfl.buffer(bytes(100)), tfl.buffer(bytes(20))]
    entry = schema.MetadataT()
    entry.name, entry.buffer = "min_runtime_version", 5
    value.metadata = [entry]
    found = graph.read(write(tmp_path, value))
    assert [(item.name, item.size, bytes(item.data)) for item in found.metadata] == [
        ("min_runtime_version", 6, b"1.14.0")
    ]
    assert (found.buffers, found.unused_bytes, found.description) == (8, 120, "test")


def test_ops_number_the_subgraphs_that_they_run(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    options = schema.IfOptionsT()
    options.thenSubgraphIndex, options.elseSubgraphIndex = 2, 1
    value.operatorCodes.append(tfl.code("IF"))
    value.subgraphs[0].operators.append(tfl.op(3, [0], [7], options))
    for name in "bc":
        value.subgraphs.append(tfl.subgraph([tfl.tensor("x", [1])], [], [0], [0], name))
    found = graph.read(write(tmp_path, value)).ops
    assert [calls(op) for op in found] == [(), (), (), (2, 1)]


def test_every_option_that_numbers_a_subgraph_is_known_to_call_it() -> None:
    stated = {
        word.partition(":")[0]
        for fields in TABLES.values()
        for word in fields.split()
        if "subgraph" in word or "computations" in word
    } - {"subgraphs", "subgraph_index"}  # of the model and of signatures
    assert stated == {name for names in CALLERS.values() for name in names}


def external_model(name: str) -> bytes:
    value = tfl.small_cnn()
    group, weights = schema.ExternalBufferGroupT(), schema.ExternalBufferT()
    group.name, weights.id, weights.group, weights.offset, weights.length = name, 7, 0, 16, 960
    value.externalBufferGroups, value.externalBuffers = [group], [weights]
    value.subgraphs[0].tensors[6].buffer = 0
    value.subgraphs[0].tensors[6].externalBuffer = 7
    return tfl.pack(value)


def test_external_weights_are_read_and_listed(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(16) + tfl.floats(240))
    found = graph.read(write(tmp_path, external_model("weights.bin")))
    assert found.external == ("weights.bin",)
    assert bytes(found.tensors[6].data or b"") == tfl.floats(240)


def test_missing_external_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"its external data 'weights\.bin' cannot be read"):
        graph.read(write(tmp_path, external_model("weights.bin")))


@pytest.mark.parametrize("name", ["../weights.bin", "/etc/hostname", "", "."])
def test_external_weights_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="outside its folder"):
        graph.read(write(tmp_path, external_model(name)))
