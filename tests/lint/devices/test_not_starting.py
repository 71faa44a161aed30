"""Models that a runtime refuses: why is said, and figures of a run that never is are not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_edgebudget.devices import load_profile, profiles
from pytest_edgebudget.devices.constraints import table_of
from pytest_edgebudget.lint.devices import memory_exceeded, slow_kernel, unknown_operator
from pytest_edgebudget.lint.devices.unknown_operator import COMPOSED
from pytest_edgebudget.types import Profile, Region
from tests.graph import tflite_models as tfl
from tests.lint.check import findings, messages

MEMORY, SLOW, UNKNOWN = memory_exceeded.RULE, slow_kernel.RULE, unknown_operator.RULE
OPERATORS = {name for name in vars(tfl.schema.BuiltinOperator) if not name.startswith("_")}


@pytest.fixture
def tiny() -> Profile:
    """A microcontroller with CMSIS-NN and next to no memory."""
    board = load_profile(profiles()["stm32l4r5-tflm"])
    return replace(board, regions=(Region("SRAM", "ram", 16),))


def dense(path: Path, last: str) -> Path:
    """A float layer, and an op behind it."""
    weights = tfl.buffer(tfl.floats(16))
    tensors = [
        tfl.tensor("x", [1, 4]),
        tfl.tensor("weights", [4, 4], buffer=1),
        tfl.tensor("features", [1, 4]),
        tfl.tensor("y", [1, 4]),
    ]
    ops = [
        tfl.op(0, [0, 1, -1], [2], tfl.schema.FullyConnectedOptionsT()),
        tfl.op(1, [2], [3]),
    ]
    codes = [tfl.code("FULLY_CONNECTED"), tfl.code(last)]
    path.write_bytes(
        tfl.pack(tfl.model(codes, [tfl.subgraph(tensors, ops, [0], [3])], [tfl.buffer(), weights]))
    )
    return path


def test_of_a_model_that_does_not_start_no_memory_and_no_speed_is_told(
    tmp_path: Path, tiny: Profile
) -> None:
    runs, stops = dense(tmp_path / "runs.tflite", "RELU"), dense(tmp_path / "stops.tflite", "GELU")
    assert [len(messages(rule, runs, tiny)) for rule in (UNKNOWN, MEMORY, SLOW)] == [0, 1, 1]
    assert [len(messages(rule, stops, tiny)) for rule in (UNKNOWN, MEMORY, SLOW)] == [1, 0, 0]


@pytest.mark.parametrize(
    ("kind", "instead"),
    [
        ("GELU", "use RELU or HARD_SWISH, retrained; or x * LOGISTIC(1.702 * x)"),
        ("TOPK_V2", "use ARG_MAX for the largest alone"),
        ("REDUCE_PROD", "use UNPACK or SPLIT, and MUL"),
        ("RFFT2D", "compose it of other operators in the source model, or compute it in"),
    ],
)
def test_what_replaces_an_operator_that_is_missing_is_told(
    kind: str, instead: str, tmp_path: Path, tiny: Profile
) -> None:
    (found,) = findings(UNKNOWN, dense(tmp_path / "op.tflite", kind), tiny)
    assert found.message == f"TensorFlow Lite Micro has no {kind}"
    assert found.instead.startswith(instead)


def test_what_replaces_a_missing_operator_is_there_itself() -> None:
    table = table_of("tflm")
    assert table is not None
    assert set(COMPOSED) <= OPERATORS - table.ops
    for kind, text in COMPOSED.items():
        named = set(re.findall(r"[A-Z][A-Z0-9_]+", text))
        assert named, kind
        assert named & OPERATORS <= table.ops, kind


def test_gelu_composed_of_mul_and_logistic_is_near_to_it() -> None:
    np = pytest.importorskip("numpy")
    from math import erf

    x = np.linspace(-6, 6, 200)
    exact = np.array([value * (1 + erf(value / 2**0.5)) / 2 for value in x])
    assert np.abs(x / (1 + np.exp(-1.702 * x)) - exact).max() < 0.021


def test_layers_that_cannot_be_counted_have_no_share(tmp_path: Path) -> None:
    open_size = tfl.schema.FullyConnectedOptionsT()
    tensors = [
        tfl.tensor("x", [1, 4]),
        tfl.tensor("more", [1, 1], shapeSignature=[1, -1]),
        tfl.tensor("weights", [4, 4], buffer=1),
        tfl.tensor("y", [1, 4]),
        tfl.tensor("z", [1, -1]),
    ]
    ops = [tfl.op(0, [0, 2, -1], [3], open_size), tfl.op(0, [1, -1, -1], [4], open_size)]
    content = tfl.model(
        [tfl.code("FULLY_CONNECTED")],
        [tfl.subgraph(tensors, ops, [0, 1], [3, 4])],
        [tfl.buffer(), tfl.buffer(tfl.floats(16))],
    )
    path = tmp_path / "open.tflite"
    path.write_bytes(tfl.pack(content))
    (found,) = messages(SLOW, path, load_profile(profiles()["stm32l4r5-tflm"]))
    assert found.startswith("2 layers run in reference kernels, not in CMSIS-NN: 2 FULLY_CONN")
    assert "%" not in found
