"""EB201: open sizes. The expected values: which tensors LiteRT cannot plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.lint.base import Severity
from pytest_edgebudget.lint.structure import dynamic_shape
from tests.graph import onnx_models as onnx
from tests.graph import tflite_models as tflite
from tests.lint.check import findings, messages
from tests.lint.structure import edits
from tests.lint.structure.runtimes import unplanned

RULE = dynamic_shape.RULE


@pytest.mark.slow
def test_an_open_batch_behind_a_flatten_is_found(keras_models: Path) -> None:
    (finding,) = findings(RULE, keras_models / "digits_open.tflite")
    assert finding.message == (
        "'serving_default_args_0:0' is open (?x8x8x1); sizes are worked out at run time, "
        "by 4 ops (PACK, RESHAPE, SHAPE, STRIDED_SLICE)"
    )
    assert finding.where == "sequential_1/flatten_1/Reshape"
    assert finding.severity is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "conv1d", "attention"])
@pytest.mark.parametrize("batch", ["", "_open"], ids=["one", "open"])
def test_a_finding_is_made_where_litert_cannot_plan_memory(
    keras_models: Path, name: str, batch: str
) -> None:
    path = keras_models / f"{name}{batch}.tflite"
    assert bool(messages(RULE, path)) == bool(unplanned(path))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet", "residual", "lstm", "digits_int8"])
def test_models_of_fixed_sizes_have_no_finding(keras_models: Path, name: str) -> None:
    assert messages(RULE, keras_models / f"{name}.tflite") == []


@pytest.mark.slow
def test_an_onnx_that_computes_shapes_has_a_note(keras_models: Path) -> None:
    (finding,) = findings(RULE, keras_models / "digits_open.onnx")
    assert finding.message == (
        "'args_0' is open (?x8x8x1); sizes are worked out at run time, "
        "by 7 ops (Cast, Concat, Gather, Reshape, Shape, Slice)"
    )
    assert finding.severity is Severity.NOTE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "mobilenet", "conv1d_open"])
def test_an_onnx_without_computed_shapes_has_none(keras_models: Path, name: str) -> None:
    assert messages(RULE, keras_models / f"{name}.onnx") == []


def test_shapes_that_onnxruntime_knows_when_it_loads_are_fine(tmp_path: Path) -> None:
    nodes = [
        onnx.helper.make_node("Shape", ["w"], ["s"]),
        onnx.helper.make_node("Reshape", ["x", "s"], ["y"]),
    ]
    model = onnx.model(
        nodes, [onnx.value("x", "n", 6)], [onnx.value("y", 2, 3)], [onnx.constant("w", 2, 3)]
    )
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    assert messages(RULE, path) == []


def test_sizes_that_come_from_outside_are_found(tmp_path: Path) -> None:
    nodes = [onnx.helper.make_node("Reshape", ["x", "s"], ["y"])]
    kind = onnx.TensorProto.INT64
    inputs = [onnx.value("x", 2, 3), onnx.value("s", 1, kind=kind)]
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx.model(nodes, inputs, [onnx.value("y", "n")], []).SerializeToString())
    assert messages(RULE, path) == ["sizes are worked out at run time, by 1 op (Reshape)"]


def test_an_input_that_is_open_beyond_its_batch_is_found(tmp_path: Path) -> None:
    model = tflite.small_cnn()
    model.subgraphs[0].tensors[0].shapeSignature = [-1, -1, -1, 2]
    path = edits.write(model, tmp_path / "open.tflite")
    assert messages(RULE, path) == [
        "the input is open beyond its batch: ?x?x?x2, a runtime starts with 1x4x4x2"
    ]


def test_an_open_batch_alone_is_fine(tmp_path: Path) -> None:
    model = tflite.small_cnn()
    model.subgraphs[0].tensors[0].shapeSignature = [-1, 4, 4, 2]
    assert messages(RULE, edits.write(model, tmp_path / "open.tflite")) == []
