"""What an .onnx holds at each step is what onnxruntime says of a session without optimizations."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from onnx_sessions import SHAPE, Draft, profile, random_model

from pytest_edgebudget import graph
from pytest_edgebudget.graph.ir import Graph, Op, Subgraph, Tensor
from pytest_edgebudget.graph.memory import plan

REAL = (
    "ad_autoencoder/models/ad_alibaba_float.onnx",
    "ad_autoencoder/models/ad_qdq_int8.onnx",
    "ic_resnet8/models/ic_alibaba_float.onnx",
    "ic_resnet8/models/resnet8_qdq_int8.onnx",
    "kws_dscnn/models/kws_alibaba_float.onnx",
    "kws_dscnn/models/kws_qdq_int8.onnx",
    "mnist_cnn_onnx/models/mnist.onnx",
)


@pytest.mark.reference
@pytest.mark.parametrize("name", REAL)
def test_real_models_hold_at_each_node_what_the_session_holds(
    reference_models: Path, tmp_path: Path, name: str
) -> None:
    model = graph.read(reference_models / name)
    found, session = plan(model, "onnxruntime"), profile(reference_models / name, tmp_path)
    assert list(found.live) == session.in_use
    assert found.size == found.lower_bound == max(session.in_use)


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_hold_at_each_node_what_the_session_holds(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "model.onnx"
    random_model(path, seed)
    model, session = graph.read(path), profile(path, tmp_path)
    found = plan(model, "onnxruntime")
    assert [model.ops[step.op].name for step in found.steps] == session.nodes
    assert list(found.live) == session.in_use


@pytest.mark.parametrize(
    ("kind", "shared"),
    [
        *((kind, True) for kind in ("Relu", "Sigmoid", "Tanh", "Elu", "Softmax", "Identity")),
        *((kind, False) for kind in ("Exp", "Abs", "Neg", "Sqrt", "Erf", "Floor")),
    ],
)
def test_an_op_takes_over_its_input_where_the_session_lets_it(
    tmp_path: Path, kind: str, shared: bool
) -> None:
    draft = Draft()
    x = draft.node("Transpose", [draft.input(SHAPE)], SHAPE, perm=[0, 1, 2, 3])
    out = draft.node("Transpose", [draft.same(kind, x)], SHAPE, perm=[0, 1, 2, 3])
    path = tmp_path / "model.onnx"
    draft.write(path, [out])
    found = plan(graph.read(path), "onnxruntime")
    assert list(found.live) == profile(path, tmp_path).in_use
    assert found.live[1] == (1 if shared else 2) * 4 * 288


def test_what_it_says_is_never_called_exact(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    random_model(path, 3)
    found = plan(graph.read(path), "onnxruntime")
    assert not found.exact
    assert found.reasons == (
        "kernels take scratch memory of their own",
        "with optimizations, a session runs other ops, which need less or more",
    )


@pytest.mark.reference
def test_optimizations_may_need_less_or_more(reference_models: Path, tmp_path: Path) -> None:
    """Why the plan is no limit: the ratio to a session as it is used by default."""
    ratios = {}
    for name in REAL:
        session = profile(reference_models / name, tmp_path, optimized=True)
        found = plan(graph.read(reference_models / name), "onnxruntime")
        ratios[name] = max(session.in_use) / found.size
    assert min(ratios.values()) < 0.05
    assert max(ratios.values()) > 1.4


def test_tensors_of_unknown_size_are_counted_in_the_reasons() -> None:
    tensors = (
        Tensor("x", "float32", (1, 8)),
        Tensor("y", "", None),
        Tensor("z", "float32", (1, 8)),
    )
    ops = (Op("Mystery", "a", (0,), (1,)), Op("Relu", "b", (1,), (2,)))
    model = Graph("onnx", (Subgraph("main", tensors, ops, (0,), (2,)),), size=0)
    found = plan(model, "onnxruntime")
    assert "the sizes of 1 tensors are not known" in found.reasons
    assert found.size == 32


@pytest.mark.parametrize("kind", ["Exp", "DequantizeLinear"])
def test_huge_graphs_take_seconds(kind: str) -> None:
    """A fan into one op: one free buffer after the other, and a copy for each reader."""
    count = 50_000
    tensors = tuple(Tensor(f"t{i}", "float32", (1, 8)) for i in range(count + 2))
    ops = [Op(kind, f"n{i}", (0,), (i + 1,)) for i in range(count)]
    ops.append(Op("Sum", "last", (*range(1, count + 1), *[1] * count), (count + 1,)))
    model = Graph("onnx", (Subgraph("main", tensors, tuple(ops), (0,), (count + 1,)),), size=0)
    start = time.process_time()
    found = plan(model, "onnxruntime")
    assert time.process_time() - start < 8
    assert found.size >= 32 * count
