"""Rules over `.onnx` files that onnxruntime refuses: each is loaded by it, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.lint.base import Severity
from pytest_edgebudget.lint.runtimes.contradicting_shapes import RULE as SHAPES
from pytest_edgebudget.lint.runtimes.custom_op import RULE as CUSTOM
from pytest_edgebudget.lint.runtimes.op_outside_opset import RULE as OUTSIDE
from pytest_edgebudget.lint.runtimes.unknown_attribute import RULE as ATTRIBUTE
from pytest_edgebudget.lint.runtimes.value_made_twice import RULE as TWICE
from tests.lint.check import messages

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
np = pytest.importorskip("numpy")
node, FLOAT = onnx.helper.make_node, onnx.TensorProto.FLOAT


def constant(name: str, value: Any) -> Any:
    return onnx.numpy_helper.from_array(np.asarray(value), name)


def save(
    nodes: list[Any],
    path: Path,
    opset: int = 17,
    constants: dict[str, Any] | None = None,
    shape: tuple[int | str, ...] = (1, 64),
    functions: tuple[Any, ...] = (),
) -> Path:
    """From x of *shape* to y of any; *constants* by name."""
    ends = [
        onnx.helper.make_tensor_value_info("x", FLOAT, shape),
        onnx.helper.make_tensor_value_info("y", FLOAT, None),
    ]
    weights = [constant(name, value) for name, value in (constants or {}).items()]
    graph = onnx.helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    opsets = [onnx.helper.make_opsetid("", opset)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, functions=functions)
    model.ir_version = 9
    path.write_bytes(model.SerializeToString())
    return path


def refusal(model: Path) -> str:
    """Why onnxruntime refuses the file; empty when it does not."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    try:
        runtime.InferenceSession(str(model), options, ["CPUExecutionProvider"])
    except Exception as error:  # its errors have no base of their own
        return str(error)
    return ""


# --- opsets ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "opset", "said"),
    [
        ("Gelu", 17, "Gelu in opset 17: onnxruntime 1.32.0 runs it in opsets 20 to 28"),
        ("Gelu", 20, ""),
        ("Round", 10, "Round in opset 10: onnxruntime 1.32.0 runs it in opsets 11 to 28"),
        ("Sin", 6, "Sin in opset 6: onnxruntime 1.32.0 runs it in opsets 7 to 28"),
        ("Sin", 7, ""),
        ("Mish", 18, ""),  # a function, which has no kernel
        ("HardSwish", 14, ""),
        ("Relu", 6, ""),
        ("Affine", 9, ""),  # withdrawn from ONNX before version 1.5
        ("Affine", 10, "Affine in opset 10: onnxruntime 1.32.0 runs it in opsets 6 to 9"),
        (
            "ImageDecoder",
            20,
            "ImageDecoder in opset 20: onnxruntime 1.32.0 has no kernel for it",
        ),
        (
            "Filter",
            17,
            "Filter in opset 17: onnxruntime 1.32.0 knows no standard op of that name",
        ),
    ],
)
def test_an_op_is_outside_its_opset_where_onnxruntime_refuses_it(
    kind: str, opset: int, said: str, tmp_path: Path
) -> None:
    attributes = {"alpha": 1.0, "beta": 0.0} if kind == "Affine" else {}
    model = save([node(kind, ["x"], ["y"], **attributes)], tmp_path / "m.onnx", opset)
    assert messages(OUTSIDE, model) == ([said] if said else [])
    assert bool(refusal(model)) == bool(said)
    assert OUTSIDE.severity is Severity.ERROR
    assert messages(CUSTOM, model) == []


def test_a_function_of_the_model_may_not_have_a_standard_domain(tmp_path: Path) -> None:
    opsets = [onnx.helper.make_opsetid("", 17)]
    body = [node("Relu", ["a"], ["b"])]
    own = onnx.helper.make_function("", "Filter", ["a"], ["b"], body, opsets)
    model = save([node("Filter", ["x"], ["y"])], tmp_path / "m.onnx", functions=(own,))
    assert len(messages(OUTSIDE, model)) == 1
    assert "No Op registered for Filter" in refusal(model)


def test_an_upsample_of_a_newer_opset_is_found(tmp_path: Path) -> None:
    scales = {"s": np.array([1, 2], "float32")}
    for opset, fine in ((9, True), (10, False), (13, False)):
        upsample = [node("Upsample", ["x", "s"], ["y"])]
        model = save(upsample, tmp_path / "m.onnx", opset, scales)
        assert (messages(OUTSIDE, model) == []) == fine
        assert (refusal(model) == "") == fine


# --- attributes ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "opset", "said"),
    [
        (node("Relu", ["x"], ["y"], foo=3), 17, "Relu has no attribute foo in opset 17"),
        (
            node("ReduceSum", ["x"], ["y"], axes=[1]),
            13,
            "ReduceSum has no attribute axes in opset 13 (it had until opset 12)",
        ),
        (node("ReduceSum", ["x"], ["y"], axes=[1]), 12, ""),
        (node("ReduceMean", ["x"], ["y"], axes=[1]), 13, ""),  # an input since 18
        (
            node("ArgMax", ["x"], ["y"], select_last_index=1),
            11,
            "ArgMax has no attribute select_last_index in opset 11 (it has from opset 12 on)",
        ),
        (node("Softmax", ["x"], ["y"], axis=1, __hidden=1), 13, ""),
    ],
)
def test_an_attribute_is_unknown_where_onnxruntime_refuses_it(
    made: Any, opset: int, said: str, tmp_path: Path
) -> None:
    model = save([made], tmp_path / "m.onnx", opset)
    assert messages(ATTRIBUTE, model) == ([said] if said else [])
    refused = refusal(model)
    assert ("Unrecognized attribute" in refused) == bool(said)


# --- values ----------------------------------------------------------------------


def test_a_value_that_two_ops_make_is_found_and_onnxruntime_refuses_it(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], ["y"]), node("Tanh", ["x"], ["y"])]
    model = save(nodes, tmp_path / "m.onnx")
    assert messages(TWICE, model) == ["Relu and Tanh both make y"]
    assert "Duplicate definition of name (y)" in refusal(model)


def test_an_input_that_an_op_makes_anew_is_found(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], ["x"]), node("Tanh", ["x"], ["y"])]
    model = save(nodes, tmp_path / "m.onnx")
    assert messages(TWICE, model) == ["Relu makes x, which is an input"]
    assert "Duplicate definition of name (x)" in refusal(model)


def test_constants_that_are_made_again_are_fine(tmp_path: Path) -> None:
    one = constant("a", np.ones((1, 64), "float32"))
    same = node("Constant", [], ["a"], value=one)
    model = save([same, same, node("Add", ["x", "a"], ["y"])], tmp_path / "m.onnx")
    assert messages(TWICE, model) == []
    assert refusal(model) == ""


# --- shapes ----------------------------------------------------------------------


def failure(model: Path, sizes: tuple[int, ...]) -> str:
    """Why onnxruntime refuses to load or to run the file; empty when it does not."""
    refused = refusal(model)
    if refused:
        return refused
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    session = runtime.InferenceSession(str(model), options, ["CPUExecutionProvider"])
    try:
        session.run(None, {"x": np.zeros(sizes, "float32")})
    except Exception as error:  # its errors have no base of their own
        return str(error)
    return ""


def ones(*shape: int) -> Any:
    return np.ones(shape, "float32")


def sizes(*numbers: int) -> Any:
    return np.array(numbers, "int64")


ROW, MAP = (1, 64), (1, 3, 8, 8)


@pytest.mark.parametrize(
    ("kind", "attributes", "shape", "weights", "said"),
    [
        ("Gemm", {}, ROW, ones(64, 8), ""),
        ("Gemm", {}, ROW, ones(63, 8), "Gemm: 1x64 times 63x8"),
        ("Gemm", {"transB": 1}, ROW, ones(8, 64), ""),
        ("Gemm", {"transB": 1}, ROW, ones(64, 8), "Gemm: 1x64 times 8x64"),
        ("MatMul", {}, ROW, ones(63, 8), "MatMul: 1x64 times 63x8"),
        ("MatMul", {}, (3, 2, 64), ones(64), ""),
        ("MatMul", {}, (3, 2, 64), ones(63), "MatMul: 3x2x64 times 63"),
        ("Conv", {}, MAP, ones(8, 3, 3, 3), ""),
        ("Conv", {"group": 3}, MAP, ones(9, 1, 3, 3), ""),
        ("Conv", {}, MAP, ones(8, 4, 3, 3), "Conv: weights 8x4x3x3 for an input of 3 channels"),
        (
            "Conv",
            {"group": 2},
            MAP,
            ones(8, 3, 3, 3),
            "Conv: weights 8x3x3x3 in 2 groups for an input of 3 channels",
        ),
        ("Add", {}, ROW, ones(5, 64), ""),
        ("Add", {}, MAP, ones(3, 1, 1), ""),
        ("Add", {}, ROW, ones(63), "Add: 1x64 and 63 cannot be broadcast"),
        ("Concat", {"axis": -1}, ROW, ones(1, 3), ""),
        ("Concat", {"axis": 1}, ROW, ones(2, 3), "Concat: 1x64 and 2x3 are joined along axis 1"),
        ("Reshape", {}, ROW, sizes(0, 8, -1), ""),
        ("Reshape", {}, ROW, sizes(4, 16), ""),
        ("Reshape", {}, ROW, sizes(7, -1), "Reshape: 1x64 to 7x?"),
        ("Reshape", {}, ROW, sizes(7, 9), "Reshape: 1x64 to 7x9"),
        ("Reshape", {}, ROW, sizes(-1, -1), "Reshape: 1x64 to ?x?"),
        (
            "Reshape",
            {},
            ROW,
            sizes(64, 1, 0),
            "Reshape: 1x64 to 64x1x0, whose 0 stands for no size",
        ),
    ],
)
def test_shapes_contradict_each_other_where_onnxruntime_fails(
    kind: str,
    attributes: dict[str, int],
    shape: tuple[int, ...],
    weights: Any,
    said: str,
    tmp_path: Path,
) -> None:
    op = node(kind, ["x", "w"], ["y"], **attributes)
    model = save([op], tmp_path / "m.onnx", constants={"w": weights}, shape=shape)
    assert messages(SHAPES, model) == ([said] if said else [])
    assert bool(failure(model, shape)) == bool(said)


def test_open_sizes_are_taken_to_fit(tmp_path: Path) -> None:
    open_batch = ("N", "M")
    for kind in ("Gemm", "MatMul", "Add", "Concat"):
        attributes = {"axis": 1} if kind == "Concat" else {}
        op = node(kind, ["x", "w"], ["y"], **attributes)
        model = save([op], tmp_path / "m.onnx", constants={"w": ones(4, 8)}, shape=open_batch)
        assert messages(SHAPES, model) == []
    op = node("Reshape", ["x", "w"], ["y"])
    model = save([op], tmp_path / "m.onnx", constants={"w": sizes(7, -1)}, shape=open_batch)
    assert messages(SHAPES, model) == []
    assert failure(model, (1, 14)) == ""
