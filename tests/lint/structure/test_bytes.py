"""EB205, EB207, EB208, EB209, EB211 and EB215: bytes that could be saved."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.lint.base import Rule, Severity
from pytest_edgebudget.lint.structure import (
    dominant_layer,
    duplicate_constants,
    idle_bytes,
    unused_subgraph,
    unused_tensors,
    wide_types,
)
from tests.conftest import ROOT
from tests.graph import onnx_models as onnx
from tests.graph import tflite_models as tflite
from tests.lint.check import findings, messages
from tests.lint.structure import edits
from tests.lint.structure.runtimes import outputs

DUPLICATES, TENSORS = duplicate_constants.RULE, unused_tensors.RULE
SUBGRAPH, DOMINANT = unused_subgraph.RULE, dominant_layer.RULE
WIDE, IDLE = wide_types.RULE, idle_bytes.RULE
schema, np, node = tflite.schema, onnx.np, onnx.helper.make_node


def save(model: Any, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


# --- EB205 -------------------------------------------------------------------------------


def twice(second: Any, tmp_path: Path) -> Path:
    """Two dense layers in a row with their own weights, of 16x16 floats."""
    nodes = [node("MatMul", ["x", "w"], ["a"]), node("MatMul", ["a", second.name], ["y"])]
    weights = [onnx.constant("w", 16, 16), second]
    if second.name == "w":
        weights = weights[:1]
    model = onnx.model(nodes, [onnx.value("x", 1, 16)], [onnx.value("y", 1, 16)], weights)
    return save(model, tmp_path / "model.onnx")


def test_a_constant_that_is_stored_twice_is_found(tmp_path: Path) -> None:
    path = twice(onnx.constant("again", 16, 16), tmp_path)
    share = 1024 / path.stat().st_size
    assert messages(DUPLICATES, path) == [
        f"1 constant stored again takes 1.00 KiB ({share:.0%} of the file); "
        "the largest has 1.00 KiB and is there 2 times"
    ]


def test_a_constant_that_differs_in_one_number_is_fine(tmp_path: Path) -> None:
    values = (np.arange(256) % 17 - 8).astype("float32").reshape(16, 16)
    values[5, 5] += 1  # neither at the ends nor in the middle
    assert (
        messages(DUPLICATES, twice(onnx.numpy_helper.from_array(values, "other"), tmp_path)) == []
    )


def test_a_constant_with_two_users_is_fine(tmp_path: Path) -> None:
    assert messages(DUPLICATES, twice(onnx.constant("w", 16, 16), tmp_path)) == []


def test_tensors_that_share_a_buffer_are_fine_and_copies_of_it_are_found(tmp_path: Path) -> None:
    model = tflite.small_cnn()
    tensors, buffers = model.subgraphs[0].tensors, model.buffers
    tensors.append(tflite.tensor("tied", [5, 48], buffer=tensors[6].buffer))
    assert messages(DUPLICATES, edits.write(model, tmp_path / "tied.tflite")) == []

    buffers.append(tflite.buffer(tflite.floats(240)))
    tensors[-1].buffer = len(buffers) - 1
    (message,) = messages(DUPLICATES, edits.write(model, tmp_path / "copied.tflite"))
    assert message.startswith("1 constant stored again takes 960 B")


def test_few_duplicate_bytes_are_fine(tmp_path: Path) -> None:
    model = tflite.small_cnn()
    edits.constant(model, "again", [54], tflite.floats(54))  # 216 bytes
    assert messages(DUPLICATES, edits.write(model, tmp_path / "m.tflite")) == []


@pytest.mark.reference
def test_zero_points_of_a_published_model_are_stored_nine_times(reference_models: Path) -> None:
    onnx_model = onnx.onnx.load(reference_models / "kws_dscnn/models/kws_qdq_int8.onnx")
    stored = [bytes(item.raw_data) for item in onnx_model.graph.initializer]
    stored = [data for data in stored if len(data) >= 32]
    wasted = sum(map(len, stored)) - sum(map(len, set(stored)))

    (message,) = messages(DUPLICATES, reference_models / "kws_dscnn/models/kws_qdq_int8.onnx")

    assert wasted == 2560
    assert message == (
        "16 constants stored again take 2.50 KiB (5% of the file); "
        "the largest has 256 B and is there 9 times"
    )


# --- EB207 -------------------------------------------------------------------------------


def test_constants_and_inputs_that_nobody_uses_are_found(tmp_path: Path) -> None:
    model = onnx.small_cnn()
    model.graph.initializer.append(onnx.constant("left", 100))
    model.graph.input.append(onnx.value("mask", 1, 8, 8))
    path = save(model, tmp_path / "model.onnx")
    found = findings(TENSORS, path)
    assert [(finding.message, finding.where) for finding in found] == [
        (f"1 constant that nobody uses: 400 B ({400 / path.stat().st_size:.1%})", "left"),
        ("an input that no op uses: 256 B are filled for nothing", "mask"),
    ]
    assert [finding.severity for finding in found] == [None, Severity.NOTE]


def test_what_only_an_inner_graph_uses_is_used(tmp_path: Path) -> None:
    branch = onnx.helper.make_graph(
        [node("MatMul", ["x", "w"], ["b"])], "branch", [], [onnx.value("b", 1, 16)]
    )
    kind = onnx.TensorProto.BOOL
    model = onnx.model(
        [node("If", ["condition"], ["y"], then_branch=branch, else_branch=branch)],
        [onnx.value("x", 1, 16), onnx.value("condition", kind=kind)],
        [onnx.value("y", 1, 16)],
        [onnx.constant("w", 16, 16)],
    )
    assert messages(TENSORS, save(model, tmp_path / "model.onnx")) == []


def test_a_constant_without_a_user_whose_buffer_has_one_is_fine(tmp_path: Path) -> None:
    model = tflite.small_cnn()
    tensors = model.subgraphs[0].tensors
    tensors.append(tflite.tensor("tied", [5, 48], buffer=tensors[6].buffer))
    assert messages(TENSORS, edits.write(model, tmp_path / "tied.tflite")) == []


# --- EB208 -------------------------------------------------------------------------------


def with_second_subgraph() -> Any:
    """The small CNN and a copy of it as a second subgraph, with weights of its own."""
    model, other = tflite.small_cnn(), tflite.small_cnn()
    second = other.subgraphs[0]
    for tensor in second.tensors:
        if tensor.buffer:
            model.buffers.append(other.buffers[tensor.buffer])
            tensor.buffer = len(model.buffers) - 1
    second.name = "second"
    model.subgraphs.append(second)
    return model


def signature(key: str, subgraph: int) -> Any:
    value = schema.SignatureDefT()
    value.signatureKey, value.subgraphIndex, value.inputs, value.outputs = key, subgraph, [], []
    return value


def called() -> Any:
    """The second subgraph is called by an op of the first one."""
    model = with_second_subgraph()
    options = schema.CallOptionsT()
    options.subgraph = 1
    target = edits.copy_of(model.subgraphs[0], 7, "called")
    model.subgraphs[0].operators.append(
        tflite.op(edits.number(model, "CALL"), [0], [target], options)
    )
    return model


def with_signatures() -> Any:
    model = with_second_subgraph()
    model.signatureDefs = [signature("one", 0), signature("two", 1)]
    return model


def test_a_subgraph_that_nothing_runs_is_found(tmp_path: Path) -> None:
    (finding,) = findings(SUBGRAPH, edits.write(with_second_subgraph(), tmp_path / "m.tflite"))
    # 54 + 3 + 240 floats and a shape of two int32
    assert finding.message == "subgraph 1 is run by nothing: 3 ops and 1.17 KiB of constants"
    assert finding.where == "second"


@pytest.mark.parametrize("make", [called, with_signatures, tflite.small_cnn])
def test_a_subgraph_with_a_caller_or_a_signature_is_fine(
    tmp_path: Path, make: Callable[[], Any]
) -> None:
    assert messages(SUBGRAPH, edits.write(make(), tmp_path / "m.tflite")) == []


@pytest.mark.slow
def test_the_subgraphs_of_a_loop_are_fine(keras_models: Path) -> None:
    assert messages(SUBGRAPH, keras_models / "lstm.tflite") == []


# --- EB209 -------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_a_dense_layer_behind_a_flattened_map_is_named(suffix: str) -> None:
    path = ROOT / "examples" / "digits" / f"digits{suffix}"
    kind = "FULLY_CONNECTED" if suffix == ".tflite" else "Gemm"
    stored = (4 * 4 * 32 * 26 + 26) * 4  # its weights and bias
    (finding,) = findings(DOMINANT, path)
    assert finding.message == (
        f"{kind} holds {stored / path.stat().st_size:.0%} of the file, 52.1 KiB: it has weights "
        "for each of 4x4 positions; behind a global average pooling it would have 16 times "
        "fewer, 48.8 KiB less"  # 15 x 32 x 26 floats
    )
    assert DOMINANT.severity is Severity.NOTE


def test_weights_behind_a_dequantize_are_counted_as_they_are_stored(tmp_path: Path) -> None:
    model = edits.load(ROOT / "examples" / "digits" / "digits.tflite")
    graph, code = model.subgraphs[0], edits.number(model, "DEQUANTIZE")
    for index, tensor in enumerate(list(graph.tensors)):
        data = model.buffers[tensor.buffer].data
        if tensor.type == schema.TensorType.FLOAT32 and data is not None and len(data):
            half = np.frombuffer(bytes(data), "<f4").astype("<f2").tobytes()
            stored = edits.constant(model, f"half {index}", list(tensor.shape), half, "FLOAT16")
            graph.operators.insert(0, tflite.op(code, [stored], [index]))
            model.buffers[tensor.buffer].data, tensor.buffer = None, 0
    (message,) = messages(DOMINANT, edits.write(model, tmp_path / "half.tflite"))
    assert message.endswith("16 times fewer, 24.4 KiB less")  # 15 x 32 x 26 halves


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet", "residual", "attention"])
@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_models_with_a_pooled_head_have_no_dominant_layer(
    keras_models: Path, name: str, suffix: str
) -> None:
    assert messages(DOMINANT, keras_models / f"{name}{suffix}") == []


def test_a_large_table_is_named(tmp_path: Path) -> None:
    nodes = [
        node("Gather", ["t", "x"], ["a"]),
        node("ReduceMean", ["a"], ["m"], axes=[1], keepdims=0),
        node("MatMul", ["m", "w"], ["h"]),
        node("MatMul", ["h", "v"], ["y"]),
    ]
    weights = [onnx.constant("t", 2000, 16), onnx.constant("w", 16, 16), onnx.constant("v", 16, 4)]
    x = onnx.value("x", 1, 20, kind=onnx.TensorProto.INT64)
    path = save(onnx.model(nodes, [x], [onnx.value("y", 1, 4)], weights), tmp_path / "model.onnx")
    share = 2000 * 16 * 4 / path.stat().st_size
    assert messages(DOMINANT, path) == [
        f"Gather holds {share:.0%} of the file, 125 KiB: a table of 2000x16"
    ]


def test_a_model_of_two_layers_has_no_dominant_one(tmp_path: Path) -> None:
    assert messages(DOMINANT, save(onnx.small_cnn(), tmp_path / "model.onnx")) == []


# --- EB211 -------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_model_of_doubles_is_found(keras_models: Path) -> None:
    parameters = 10 * 32 + 32 + 32 * 32 + 32 + 32 + 1
    large = 8 * (10 * 32 + 32 * 32)  # the two of more than 64 elements
    (finding,) = findings(WIDE, keras_models / "double.onnx")
    assert finding.message == ("2 tensors in float64, 10.5 KiB of constants (half as float32)")
    assert large == 10.5 * 1024 < 8 * parameters


def table(low: int, tmp_path: Path) -> Path:
    """A table of 300 int64 numbers from *low* on, of which some are looked up."""
    numbers = onnx.numpy_helper.from_array(np.arange(low, low + 300), "t")
    kind = onnx.TensorProto.INT64
    model = onnx.model(
        [node("Gather", ["t", "x"], ["y"])],
        [onnx.value("x", 4, kind=kind)],
        [onnx.value("y", 4, kind=kind)],
        [numbers],
    )
    return save(model, tmp_path / "model.onnx")


def test_a_table_of_small_numbers_in_int64_is_found(tmp_path: Path) -> None:
    assert messages(WIDE, table(-100, tmp_path)) == [
        "1 int64 constant would fit in 32 bits: 2.34 KiB are twice what is needed"
    ]


def test_a_table_that_needs_64_bits_is_fine(tmp_path: Path) -> None:
    assert messages(WIDE, table(2**31 - 5, tmp_path)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits_open", "attention_open", "lstm", "mobilenet"])
def test_the_indices_of_an_ordinary_onnx_are_fine(keras_models: Path, name: str) -> None:
    assert messages(WIDE, keras_models / f"{name}.onnx") == []


# --- EB215 -------------------------------------------------------------------------------


def without_names(path: Path, target: Path) -> Path:
    """The model with empty tensor names and no metadata, which still runs."""
    model = edits.load(path)
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.name = b""
    for note in model.metadata or []:
        model.buffers[note.buffer].data = None
    model.metadata = None
    return edits.write(model, target)


@pytest.mark.slow
def test_names_and_metadata_that_are_counted_can_be_left_out(
    keras_models: Path, tmp_path: Path
) -> None:
    path = keras_models / "attention.tflite"
    (finding,) = findings(IDLE, path)
    bare = without_names(path, tmp_path / "bare.tflite")
    whole = edits.write(edits.load(path), tmp_path / "whole.tflite")  # packed alike
    saved = whole.stat().st_size - bare.stat().st_size

    names = sum(len(t.name) for t in edits.load(path).subgraphs[0].tensors)
    assert finding.message.endswith(f"{names / 1024:.2f} KiB of names, 112 B of metadata")
    assert saved >= names + 112  # and the lengths and entries around them
    assert saved < 1.4 * (names + 112)
    assert (outputs(bare)[0] == outputs(path)[0]).all()


@pytest.mark.slow
def test_names_of_an_onnx_that_are_counted_can_be_left_out(
    keras_models: Path, tmp_path: Path
) -> None:
    path = keras_models / "attention.onnx"
    model = onnx.onnx.load(path)
    short: dict[str, str] = {"": ""}
    kept = {item.name for item in (*model.graph.input, *model.graph.output)}
    for item in model.graph.node:
        item.name = ""
        for names in (item.input, item.output):
            for index, name in enumerate(names):
                names[index] = name if name in kept else short.setdefault(name, f"{len(short):04}")
    for item in (*model.graph.initializer, *model.graph.value_info):
        item.name = short.get(item.name, item.name)
    model.graph.ClearField("value_info")  # counted by nobody
    saved = path.stat().st_size - len(model.SerializeToString())

    (finding,) = findings(IDLE, path)

    said = float(finding.message.partition(": ")[2].partition(" KiB")[0]) * 1024
    assert said == pytest.approx(saved, rel=0.15)


def test_metadata_and_buffers_without_a_use_are_counted(tmp_path: Path) -> None:
    model = tflite.small_cnn()
    model.buffers += [tflite.buffer(bytes(range(256)) * 16), tflite.buffer(b"x" * 2048)]
    note = schema.MetadataT()
    note.name, note.buffer = "model card", len(model.buffers) - 1
    model.metadata = [note]
    (message,) = messages(IDLE, edits.write(model, tmp_path / "m.tflite"))
    assert message.endswith("4.00 KiB of unused buffers, 2.00 KiB of metadata, 45 B of names")


@pytest.mark.parametrize("kind", ["archive", "padding"])
def test_what_was_appended_to_a_model_is_counted_and_can_be_cut_off(
    kind: str, tmp_path: Path
) -> None:
    path = ROOT / "examples" / "digits" / "digits.tflite"
    assert messages(IDLE, path) == []
    whole = tmp_path / "model.tflite"
    shutil.copy(path, whole)
    if kind == "archive":
        with zipfile.ZipFile(whole, "a") as archive:
            archive.writestr("labels.txt", "label\n" * 5000)
    else:
        whole.write_bytes(path.read_bytes() + b"\xff" * 30000)
    more = whole.stat().st_size - path.stat().st_size
    (finding,) = findings(IDLE, whole)
    behind = finding.message.partition(": ")[2].partition(", ")[0]
    number, unit, *rest = behind.split()
    assert (unit, rest) == ("KiB", ["of", "bytes", "behind", "the", "model"])
    assert float(number) * 1024 == pytest.approx(more, rel=0.01)
    assert (outputs(whole)[0] == outputs(path)[0]).all()


@pytest.mark.parametrize("rule", [IDLE, DOMINANT, DUPLICATES, TENSORS, WIDE])
def test_a_small_sound_model_has_no_finding(tmp_path: Path, rule: Rule) -> None:
    assert messages(rule, edits.write(tflite.small_cnn(), tmp_path / "m.tflite")) == []
    assert messages(rule, save(onnx.small_cnn(), tmp_path / "m.onnx")) == []
