"""EB204, EB213, EB214 and EB216: work for nothing. What is idle changes no output."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.lint.base import Severity
from pytest_edgebudget.lint.structure import cancelling_ops, constant_work, idle_ops, repeated_ops
from tests.graph import onnx_models as onnx
from tests.graph import tflite_models as tflite
from tests.lint.check import findings, messages
from tests.lint.structure import edits
from tests.lint.structure.runtimes import kept_by_onnxruntime, outputs

CANCELLING, IDLE = cancelling_ops.RULE, idle_ops.RULE
CONSTANT, REPEATED = constant_work.RULE, repeated_ops.RULE
schema, np, node = tflite.schema, onnx.np, onnx.helper.make_node
DOUBLE, FLOAT = onnx.TensorProto.DOUBLE, onnx.FLOAT


def ints(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def save(model: Any, tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


# --- EB204 -------------------------------------------------------------------------------


def transposed_cnn(first: Sequence[int], second: Sequence[int], between: str = "") -> Any:
    """The small CNN with two transposes, and perhaps an op, behind its convolution."""
    model = tflite.small_cnn()
    there = edits.constant(model, "there", [4], ints(*first), "INT32")
    back = edits.constant(model, "back", [4], ints(*second), "INT32")
    middle = [(between, [], None)] if between else []
    options = schema.TransposeOptionsT()
    made = edits.behind(
        model, 3, ("TRANSPOSE", [there], options), *middle, ("TRANSPOSE", [back], options)
    )
    shape = [1, 4, 4, 3]
    for index in made[:-1]:
        model.subgraphs[0].tensors[index].shape = [shape[axis] for axis in first]
    return model


@pytest.mark.parametrize("between", ["", "TANH"])
def test_transposes_that_undo_each_other_are_found(tmp_path: Path, between: str) -> None:
    model = transposed_cnn((0, 3, 1, 2), (0, 2, 3, 1), between)
    (finding,) = findings(CANCELLING, edits.write(model, tmp_path / "m.tflite"))
    assert finding.message == (
        "TRANSPOSE undoes the TRANSPOSE 'transpose_1': 192 B are copied for nothing"
    )


def test_they_change_nothing_indeed(tmp_path: Path) -> None:
    flawed = edits.write(transposed_cnn((0, 3, 1, 2), (0, 2, 3, 1)), tmp_path / "flawed.tflite")
    sound = edits.write(tflite.small_cnn(), tmp_path / "sound.tflite")
    assert (outputs(flawed)[0] == outputs(sound)[0]).all()


def test_transposes_that_could_be_one_are_found(tmp_path: Path) -> None:
    model = transposed_cnn((0, 2, 1, 3), (0, 3, 1, 2))
    (message,) = messages(CANCELLING, edits.write(model, tmp_path / "m.tflite"))
    # numpy: x.transpose(0, 2, 1, 3).transpose(0, 3, 1, 2) is x.transpose(0, 3, 2, 1)
    assert message.startswith(
        "TRANSPOSE and the TRANSPOSE 'transpose_1' could be one, of (0, 3, 2, 1)"
    )


def test_an_op_between_transposes_that_others_use_keeps_them(tmp_path: Path) -> None:
    model = transposed_cnn((0, 3, 1, 2), (0, 2, 3, 1), "TANH")
    graph = model.subgraphs[0]
    tanh = next(op for op in graph.operators if op.opcodeIndex == 4)
    graph.outputs = [*graph.outputs, tanh.outputs[0]]
    assert messages(CANCELLING, edits.write(model, tmp_path / "m.tflite")) == []


def test_a_single_transpose_is_fine(tmp_path: Path) -> None:
    model = tflite.small_cnn()
    there = edits.constant(model, "there", [4], ints(0, 2, 1, 3), "INT32")
    edits.behind(model, 3, ("TRANSPOSE", [there], schema.TransposeOptionsT()))
    assert messages(CANCELLING, edits.write(model, tmp_path / "m.tflite")) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [({"perm": [0, 2, 3, 1]}, {"perm": [0, 3, 1, 2]}), ({"to": DOUBLE}, {"to": FLOAT})],
    ids=["Transpose", "Cast"],
)
def test_pairs_that_onnxruntime_removes_are_notes(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any]
) -> None:
    kind = "Transpose" if "perm" in first else "Cast"
    nodes = [node(kind, ["x"], ["a"], **first), node(kind, ["a"], ["b"], **second)]
    nodes.append(node("Relu", ["b"], ["y"]))
    model = onnx.model(nodes, [onnx.value("x", 1, 3, 8, 8)], [onnx.value("y", 1, 3, 8, 8)], [])
    (finding,) = findings(CANCELLING, save(model, tmp_path))
    assert finding.severity is Severity.NOTE
    assert kept_by_onnxruntime(model, tmp_path) == ["Relu"]


@pytest.mark.parametrize("middle", [onnx.TensorProto.INT32, onnx.TensorProto.FLOAT16])
def test_casts_that_round_are_fine(tmp_path: Path, middle: int) -> None:
    nodes = [node("Cast", ["x"], ["a"], to=middle), node("Cast", ["a"], ["y"], to=FLOAT)]
    model = onnx.model(nodes, [onnx.value("x", 1, 8)], [onnx.value("y", 1, 8)], [])
    assert messages(CANCELLING, save(model, tmp_path)) == []


@pytest.mark.slow
def test_reshapes_that_undo_each_other_are_notes(keras_models: Path) -> None:
    found = findings(CANCELLING, keras_models / "conv1d_open.tflite")
    assert [finding.message.partition(" '")[0] for finding in found] == [
        "EXPAND_DIMS undoes the RESHAPE",
        "EXPAND_DIMS undoes the RESHAPE",
    ]
    assert found[0].message.endswith("both are ?x1x60x16")
    assert {finding.severity for finding in found} == {Severity.NOTE}


@pytest.mark.slow
def test_reshapes_in_a_row_have_one_note_for_all(keras_models: Path) -> None:
    (finding,) = findings(CANCELLING, keras_models / "attention.onnx")
    assert finding.message == "Squeeze right behind Reshape (and 1 more): one of them is enough"
    assert finding.severity is Severity.NOTE


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["digits.tflite", "mobilenet.onnx", "residual.tflite", "attention.tflite", "conv1d.tflite"],
)
def test_ordinary_models_undo_nothing(keras_models: Path, name: str) -> None:
    assert messages(CANCELLING, keras_models / name) == []


# --- EB213 -------------------------------------------------------------------------------


def idle_cnn(kind: str) -> Any:
    """The small CNN with an op behind its convolution that does nothing."""
    model = tflite.small_cnn()

    def numbers(*values: int) -> int:
        return edits.constant(model, "numbers", [len(values)], ints(*values), "INT32")

    pool = schema.Pool2DOptionsT()
    pool.strideW = pool.strideH = pool.filterWidth = pool.filterHeight = 1
    pads = edits.constant(model, "pads", [4, 2], ints(*[0] * 8), "INT32")
    one = edits.constant(model, "one", [], struct.pack("<f", 1))
    zero = edits.constant(model, "zero", [3], bytes(12))
    size = numbers(4, 4) if kind == "RESIZE_BILINEAR" else 0
    ops: dict[str, tuple[list[int], Any]] = {
        "ADD": ([zero], schema.AddOptionsT()),
        "AVERAGE_POOL_2D": ([], pool),
        "CONCATENATION": ([], schema.ConcatenationOptionsT()),
        "MUL": ([one], schema.MulOptionsT()),
        "PAD": ([pads], schema.PadOptionsT()),
        "RELU": ([], None),
        "RESHAPE": ([numbers(1, 4, 4, 3)], schema.ReshapeOptionsT()),
        "RESIZE_BILINEAR": ([size], schema.ResizeBilinearOptionsT()),
        "SLICE": ([numbers(0, 0, 0, 0), numbers(1, 4, 4, 3)], schema.SliceOptionsT()),
        "TILE": ([numbers(1, 1, 1, 1)], schema.TileOptionsT()),
        "TRANSPOSE": ([numbers(0, 1, 2, 3)], schema.TransposeOptionsT()),
    }
    edits.behind(model, 3, (kind, *ops[kind]))
    return model


IDLE_KINDS = """
    ADD AVERAGE_POOL_2D CONCATENATION MUL PAD RELU RESHAPE RESIZE_BILINEAR SLICE TILE TRANSPOSE
""".split()  # noqa: SIM905


@pytest.mark.parametrize("kind", IDLE_KINDS)
def test_an_op_that_changes_no_output_of_litert_is_found(tmp_path: Path, kind: str) -> None:
    flawed = edits.write(idle_cnn(kind), tmp_path / "flawed.tflite")
    sound = edits.write(tflite.small_cnn(), tmp_path / "sound.tflite")

    (finding,) = findings(IDLE, flawed)

    assert finding.where == f"{kind.lower()}_1"
    assert finding.message.startswith(f"{kind} changes nothing")
    np.testing.assert_allclose(outputs(flawed)[0], outputs(sound)[0], rtol=1e-6)


def test_ops_that_do_something_are_fine(tmp_path: Path) -> None:
    model = tflite.small_cnn()
    reverse = [
        edits.constant(model, "begin", [4], ints(0, 3, 0, 0), "INT32"),
        edits.constant(model, "end", [4], ints(1, -5, 4, 3), "INT32"),
        edits.constant(model, "strides", [4], ints(1, -1, 1, 1), "INT32"),
    ]
    shift = edits.constant(model, "shift", [4, 2], ints(0, 0, 1, 0, 0, 0, 0, 0), "INT32")
    half = edits.constant(model, "half", [], struct.pack("<f", 0.5))
    edits.behind(
        model,
        3,
        ("STRIDED_SLICE", reverse, schema.StridedSliceOptionsT()),
        ("PAD", [shift], schema.PadOptionsT()),
        ("MUL", [half], schema.MulOptionsT()),
        ("RELU6", [], None),
    )
    assert messages(IDLE, edits.write(model, tmp_path / "m.tflite")) == []


@pytest.mark.parametrize(
    ("kind", "more", "attributes"),
    [
        ("Concat", [], {"axis": 1}),
        ("Expand", ["shape"], {}),
        ("Pad", ["pads"], {}),
        ("Reshape", ["shape"], {}),
        ("Slice", ["begin", "shape"], {}),
        ("Tile", ["ones"], {}),
        ("Transpose", [], {"perm": [0, 1, 2, 3]}),
    ],
)
def test_an_idle_node_that_onnxruntime_keeps_is_found(
    tmp_path: Path, kind: str, more: list[str], attributes: dict[str, Any]
) -> None:
    constants = [
        onnx.integers("shape", 1, 3, 8, 8),
        onnx.integers("pads", *[0] * 8),
        onnx.integers("begin", 0, 0, 0, 0),
        onnx.integers("ones", 1, 1, 1, 1),
    ]
    nodes = [node(kind, ["x", *more], ["a"], **attributes), node("Relu", ["a"], ["y"])]
    weights = [c for c in constants if c.name in more]
    model = onnx.model(nodes, [onnx.value("x", 1, 3, 8, 8)], [onnx.value("y", 1, 3, 8, 8)], weights)
    (message,) = messages(IDLE, save(model, tmp_path))
    assert message.startswith(f"{kind} changes nothing")
    assert kind in kept_by_onnxruntime(model, tmp_path)


@pytest.mark.parametrize(("axis", "found"), [(0, 0), (1, 1)])
def test_a_slice_along_an_open_size_may_cut_it(tmp_path: Path, axis: int, found: int) -> None:
    constants = [
        onnx.integers("begin", 0),
        onnx.integers("end", 2**31),
        onnx.integers("axis", axis),
    ]
    nodes = [node("Slice", ["x", "begin", "end", "axis"], ["a"]), node("Relu", ["a"], ["y"])]
    model = onnx.model(nodes, [onnx.value("x", "n", 8)], [onnx.value("y", "m", 8)], constants)
    assert len(messages(IDLE, save(model, tmp_path))) == found


def test_nodes_that_onnxruntime_removes_are_no_finding(tmp_path: Path) -> None:
    nodes = [
        node("Identity", ["x"], ["a"]),
        node("Cast", ["a"], ["b"], to=FLOAT),
        node("Relu", ["b"], ["y"]),
    ]
    model = onnx.model(nodes, [onnx.value("x", 1, 8)], [onnx.value("y", 1, 8)], [])
    assert kept_by_onnxruntime(model, tmp_path) == ["Relu"]
    assert messages(IDLE, save(model, tmp_path)) == []


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
@pytest.mark.parametrize("name", ["digits", "mobilenet", "residual", "attention", "conv1d", "lstm"])
def test_ordinary_models_have_no_idle_ops(keras_models: Path, name: str, suffix: str) -> None:
    assert messages(IDLE, keras_models / f"{name}{suffix}") == []


# --- EB214 -------------------------------------------------------------------------------


def positional_cnn() -> Any:
    """The small CNN adds an encoding that it computes from constants each time."""
    model = tflite.small_cnn()
    graph = model.subgraphs[0]
    angles = edits.constant(model, "angles", [4, 4, 3], tflite.floats(48))
    waves = edits.copy_of(graph, angles, "waves")
    doubled = edits.copy_of(graph, angles, "doubled")
    edits.behind(model, 3, ("ADD", [doubled], schema.AddOptionsT()))
    add = schema.AddOptionsT()
    graph.operators.insert(0, tflite.op(edits.number(model, "SIN"), [angles], [waves]))
    graph.operators.insert(1, tflite.op(edits.number(model, "ADD"), [waves, waves], [doubled], add))
    return model


def test_constants_that_are_computed_in_each_inference_are_found(tmp_path: Path) -> None:
    (finding,) = findings(CONSTANT, edits.write(positional_cnn(), tmp_path / "m.tflite"))
    assert finding.message == (
        "2 ops with constants only, computed in each inference: 192 B that could be stored"
    )
    assert finding.where == "doubled"
    assert finding.severity is Severity.NOTE  # less than a kilobyte


@pytest.mark.parametrize("count", [3, 12])
def test_in_an_onnx_many_of_them_are_a_note(tmp_path: Path, count: int) -> None:
    names = [f"c{i}" for i in range(count + 1)]
    nodes = [node("Sin", [a], [b]) for a, b in pairwise(names)]
    nodes.append(node("Add", ["x", names[-1]], ["y"]))
    model = onnx.model(
        nodes, [onnx.value("x", 1, 512)], [onnx.value("y", 1, 512)], [onnx.constant("c0", 1, 512)]
    )
    assert kept_by_onnxruntime(model, tmp_path) == ["Add"]  # it folds them at each start
    found = findings(CONSTANT, save(model, tmp_path))
    assert [f.message for f in found] == (
        ["12 ops with constants only, computed at each start: 2.00 KiB that could be stored"]
        if count == 12
        else []
    )


def test_weights_that_are_stored_small_are_fine(tmp_path: Path) -> None:
    model = tflite.small_cnn()
    graph = model.subgraphs[0]
    half = edits.constant(model, "half", [5, 48], bytes(480), "FLOAT16")
    graph.operators.insert(
        0,
        tflite.op(edits.number(model, "DEQUANTIZE"), [half], [6], schema.DequantizeOptionsT()),
    )
    graph.tensors[6].buffer = 0
    assert messages(CONSTANT, edits.write(model, tmp_path / "m.tflite")) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["digits_open.tflite", "attention.onnx", "lstm.tflite", "noisy.tflite"]
)
def test_ordinary_models_compute_no_constants(keras_models: Path, name: str) -> None:
    assert messages(CONSTANT, keras_models / name) == []


# --- EB216 -------------------------------------------------------------------------------


def doubled_cnn(kind: str = "TANH") -> Any:
    """The small CNN takes an activation of its convolution twice, and adds them up."""
    model = tflite.small_cnn()
    graph = model.subgraphs[0]
    first, second = (edits.copy_of(graph, 3, name) for name in ("first", "second"))
    edits.behind(model, 3, ("ADD", [second], schema.AddOptionsT()))
    graph.operators[1].inputs = [first, second]
    for name, target in (("TANH", first), (kind, second)):
        graph.operators.insert(1, tflite.op(edits.number(model, name), [3], [target]))
    return model


def test_an_op_that_repeats_another_is_found(tmp_path: Path) -> None:
    (finding,) = findings(REPEATED, edits.write(doubled_cnn(), tmp_path / "m.tflite"))
    assert finding.message == "TANH repeats 'second': 192 B are computed and kept twice"
    assert finding.where == "first"
    assert finding.severity is Severity.NOTE


def test_another_op_on_the_same_input_is_fine(tmp_path: Path) -> None:
    assert messages(REPEATED, edits.write(doubled_cnn("RELU"), tmp_path / "m.tflite")) == []


def test_equal_ops_with_other_options_are_fine(tmp_path: Path) -> None:
    model = doubled_cnn("LEAKY_RELU")
    graph = model.subgraphs[0]
    for op, alpha in zip(graph.operators[1:3], (0.1, 0.2), strict=True):
        op.opcodeIndex = graph.operators[1].opcodeIndex
        op.builtinOptions = schema.LeakyReluOptionsT()
        op.builtinOptions.alpha = alpha
        op.builtinOptionsType = schema.BuiltinOptions.LeakyReluOptions
    assert messages(REPEATED, edits.write(model, tmp_path / "m.tflite")) == []


def test_two_random_numbers_are_no_repetition(tmp_path: Path) -> None:
    model = doubled_cnn()
    for op in model.subgraphs[0].operators[1:3]:
        op.opcodeIndex = edits.number(model, "RANDOM_UNIFORM")
    assert messages(REPEATED, edits.write(model, tmp_path / "m.tflite")) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits_open", "residual_int8", "attention_open", "lstm"])
def test_ordinary_models_repeat_nothing(keras_models: Path, name: str) -> None:
    assert messages(REPEATED, keras_models / f"{name}.tflite") == []
