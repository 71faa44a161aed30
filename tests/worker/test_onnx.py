"""ONNX models in the worker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.worker.talk import Talk

onnx = pytest.importorskip("onnx", reason="makes the models of these tests")
pytest.importorskip("onnxruntime", reason="the runtime of these tests")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """y = a @ w + b with a free batch, and its ArgMax."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.arange(6, dtype=np.float32).reshape(3, 2)
    nodes = [
        helper.make_node("MatMul", ["a", "w"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["y"]),
        helper.make_node("ArgMax", ["y"], ["class"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "pair",
        [
            helper.make_tensor_value_info("a", TensorProto.FLOAT, ("batch", 3)),
            helper.make_tensor_value_info("b", TensorProto.FLOAT, ("batch", 2)),
        ],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ("batch", 2)),
            helper.make_tensor_value_info("class", TensorProto.INT64, ("batch",)),
        ],
        [numpy_helper.from_array(weights, "w")],
    )
    path = tmp_path / "pair.onnx"
    opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def test_answers_are_those_of_onnx_own_evaluator(model: Path, tmp_path: Path) -> None:
    from onnx.reference import ReferenceEvaluator

    random = np.random.default_rng(0)
    a = random.standard_normal((5, 3)).astype(np.float32)
    b = random.standard_normal((5, 2)).astype(np.float32)
    data = tmp_path / "data.npz"
    np.savez(data, **{"x_test/a": a, "x_test/b": b})
    with Talk() as talk:
        talk.open("onnxruntime", model)
        found = talk.run(data, tmp_path / "out.npz")
        three = talk.run(data, tmp_path / "three.npz", first=3)
    y, classes = ReferenceEvaluator(str(model)).run(None, {"a": a, "b": b})
    np.testing.assert_allclose(found["y"], y, rtol=1e-6)
    assert found["class"].tolist() == classes.tolist()
    assert three["class"].tolist() == classes[:3].tolist()


def test_carried_state_is_refused_because_there_is_none(model: Path, tmp_path: Path) -> None:
    with Talk() as talk:
        talk.open("onnxruntime", model)
        error = talk.ask(
            "run", data="d.npz", split="test", outputs=str(tmp_path / "o.npz"), state="carried"
        )["error"]
    assert error["kind"] == "model"
    assert "keeps no state" in error["message"]


def test_an_input_of_text_is_refused(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "text",
        [helper.make_tensor_value_info("x", TensorProto.STRING, (1,))],
        [helper.make_tensor_value_info("y", TensorProto.STRING, (1,))],
    )
    path = tmp_path / "text.onnx"
    opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    with Talk() as talk:
        talk.ok("hello", runtime="onnxruntime")
        error = talk.ask("load", path=str(path), threads=1)["error"]
    assert error["message"] == "'x' is of type tensor(string), not of numbers"


def test_nothing_is_written_into_the_users_home(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ONNX Runtime 1.32 keeps a database of what it would tell its makers there."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    with Talk() as talk:
        talk.open("onnxruntime", model)
    assert list(home.iterdir()) == []
