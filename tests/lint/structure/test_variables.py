"""EB218: variables that are read, and that nothing assigns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.lint.structure.unassigned_variable import RULE
from tests.graph import tflite_models as tflite
from tests.lint.check import findings, messages

schema = tflite.schema
HANDLE, READ, ASSIGN, ADD, ONCE, CALL = range(6)
CODES = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "ADD", "CALL_ONCE", "CALL")
WEIGHTS = 1
"""The buffer of 24 floats."""


class Steps:
    """A subgraph in the making, over vectors of 24 floats; tensor 0 is its input."""

    def __init__(self) -> None:
        self.tensors = [tflite.tensor("x", [1, 24])]
        self.ops: list[Any] = []

    def tensor(self, name: str, *, shape: tuple[int, ...] = (1, 24), **more: Any) -> int:
        self.tensors.append(tflite.tensor(name, list(shape), **more))
        return len(self.tensors) - 1

    def handle(self, name: str) -> int:
        options = schema.VarHandleOptionsT()
        options.sharedName, options.container = name, ""
        made = self.tensor(f"handle of {name}", shape=(), type_="RESOURCE")
        self.ops.append(tflite.op(HANDLE, [], [made], options))
        return made

    def assign(self, handle: int) -> None:
        value = self.tensor("value", buffer=WEIGHTS)
        self.ops.append(tflite.op(ASSIGN, [handle, value], []))

    def added(self, handle: int, x: int) -> int:
        read, total = self.tensor("read"), self.tensor("sum")
        self.ops.append(tflite.op(READ, [handle], [read]))
        self.ops.append(tflite.op(ADD, [x, read], [total], schema.AddOptionsT()))
        return total

    def done(self, output: int | None = None) -> Any:
        ends = ([0], [output]) if output is not None else ([], [])
        return tflite.subgraph(self.tensors, self.ops, *ends)


def reading(*assigned: str, elsewhere: str = "") -> bytes:
    """Adds two variables to the input; *assigned* before, or *elsewhere*: in a CALL_ONCE."""
    main, other, total = Steps(), Steps(), 0
    if elsewhere:
        once = schema.CallOnceOptionsT()
        once.initSubgraphIndex = 1
        main.ops.append(tflite.op(ONCE, [], [], once))
        other.assign(other.handle(elsewhere))
    for name in ("bias", "gain"):
        place = main.handle(name)
        if name in assigned:
            main.assign(place)
        total = main.added(place, total)
    return packed(main.done(total), *([other.done()] if elsewhere else []))


def packed(*subgraphs: Any) -> bytes:
    """LiteRT refuses a file that has CALL among its ops, used or not."""
    ops = [op.opcodeIndex for subgraph in subgraphs for op in subgraph.operators]
    codes = [tflite.code(name) for name in CODES[: max(ops) + 1]]
    buffers = [tflite.buffer(), tflite.buffer(tflite.floats(24))]
    return tflite.pack(tflite.model(codes, list(subgraphs), buffers))


def answer(path: Path) -> str:
    """What LiteRT's plain kernels say to an input of zeros: "runs", or why not."""
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    plain = litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = litert.Interpreter(str(path), experimental_op_resolver_type=plain)
    interpreter.allocate_tensors()
    try:
        interpreter.invoke()
    except RuntimeError as error:
        return str(error)
    return "runs"


def save(data: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(data)
    return path


def test_variables_that_nothing_assigns_are_an_error_and_litert_cannot_read_them(
    tmp_path: Path,
) -> None:
    path = save(reading(), tmp_path)
    assert messages(RULE, path) == [
        "2 variables are read that nothing assigns: 192 B that are not in the file"
    ]
    assert "variable != nullptr was not true" in answer(path)


def test_of_two_variables_the_one_that_is_assigned_is_fine(tmp_path: Path) -> None:
    path = save(reading("gain"), tmp_path)
    (finding,) = findings(RULE, path)
    assert finding.message == (
        "1 of 2 variables is read that nothing assigns: 96 B that are not in the file"
    )
    assert "variable != nullptr was not true" in answer(path)
    path = save(reading("gain", "bias"), tmp_path)
    assert messages(RULE, path) == []
    assert answer(path) == "runs"


def test_an_assignment_counts_in_whatever_subgraph_it_is(tmp_path: Path) -> None:
    path = save(reading("bias", elsewhere="gain"), tmp_path)
    assert messages(RULE, path) == []
    assert answer(path) == "runs"
    path = save(reading("bias", elsewhere="other"), tmp_path)
    assert len(messages(RULE, path)) == 1
    assert "variable != nullptr was not true" in answer(path)


def test_a_handle_that_another_subgraph_is_given_may_be_assigned_there(tmp_path: Path) -> None:
    main, called = Steps(), schema.CallOptionsT()
    called.subgraph = 1
    place = main.handle("bias")
    main.ops.append(tflite.op(CALL, [place], [], called))
    path = save(packed(main.done(main.added(place, 0)), Steps().done()), tmp_path)
    assert messages(RULE, path) == []


CONVERT = """
import sys
import keras, tensorflow as tf

keras.utils.set_random_seed(0)
network = keras.Sequential([keras.Input((8,), batch_size=1), keras.layers.Dense(4)])
function = tf.function(network).get_concrete_function(tf.TensorSpec([1, 8], tf.float32))
make = tf.lite.TFLiteConverter
network.export(sys.argv[1], verbose=False)
for name, converter in {
    "lost": make.from_concrete_functions([function], network),
    "kept": make.from_saved_model(sys.argv[1]),
}.items():
    with open(f"{sys.argv[1]}/{name}.tflite", "wb") as file:
        file.write(converter.convert())
"""


@pytest.mark.slow
def test_keras_weights_that_a_converter_loses_are_found(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    subprocess.run([sys.executable, "-c", CONVERT, str(tmp_path)], check=True, capture_output=True)
    lost, kept = tmp_path / "lost.tflite", tmp_path / "kept.tflite"
    said = messages(RULE, lost)
    # 8 x 4 floats and 4
    assert said == ["2 variables are read that nothing assigns: 144 B that are not in the file"]
    assert messages(RULE, kept) == []
    assert "variable != nullptr was not true" in answer(lost)
    assert answer(kept) == "runs"
