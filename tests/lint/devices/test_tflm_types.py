"""The types and constants that TensorFlow Lite Micro takes: its table against the runtime."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices import load_profile, profiles
from pytest_edgebudget.devices.constraints import table_of, violations
from pytest_edgebudget.lint.devices import unknown_operator
from tests.lint.check import findings
from tests.lint.devices import tflm_ops
from tests.lint.devices.conftest import ENVIRONMENT, FOLDER

UNASKED = {
    "CALL_ONCE", "IF", "WHILE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE",  # of any type
    "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM",  # below
}  # fmt: skip


@pytest.fixture(scope="module")
def answers() -> dict[str, str]:
    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
    command = [sys.executable, str(FOLDER / "tflm_answers.py")]
    done = subprocess.run(command, capture_output=True, env=ENVIRONMENT, timeout=300, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def refused(path: Path, case: tflm_ops.Case) -> bool:
    table = table_of("tflm")
    assert table is not None
    path.write_bytes(case.pack())
    main = graph.read(path).main
    return bool(violations(table, main, main.ops[0]))


def test_every_operator_of_the_table_is_asked() -> None:
    table = table_of("tflm")
    assert table is not None
    assert set(tflm_ops.OPS) | UNASKED == table.ops


@pytest.mark.slow
def test_the_types_that_tflite_micro_refuses_are_those_of_its_table(
    tmp_path: Path, answers: dict[str, str]
) -> None:
    wrong = [
        f"{case}: {answers[str(case)].strip() or 'taken'}"
        for case in tflm_ops.type_cases()
        if refused(tmp_path / "op.tflite", case) != bool(answers[str(case)])
    ]
    assert not wrong
    assert 300 < sum(not said for said in answers.values()) < len(answers) - 700


@pytest.mark.slow
def test_the_operands_that_must_be_constants_are_those_of_its_table(
    tmp_path: Path, answers: dict[str, str]
) -> None:
    wrong = [
        f"{case}: {answers[str(case)].strip() or 'taken'}"
        for case in tflm_ops.constant_cases()
        if refused(tmp_path / "op.tflite", case) != bool(answers[str(case)])
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (
            tflm_ops.Case("DEQUANTIZE", "FLOAT16"),
            "TensorFlow Lite Micro runs no such DEQUANTIZE: "
            "only int8, uint8 and int16 are widened to float32 (it has float16, float32)",
        ),
        (
            tflm_ops.Case("EXP", "INT8"),
            "TensorFlow Lite Micro runs no such EXP: only float32 is taken (in0 is int8)",
        ),
        (
            tflm_ops.Case("FILL", "FLOAT32", computed=0),
            "TensorFlow Lite Micro runs no such FILL: sizes and axes must be constants "
            "(in0 is computed)",
        ),
    ],
    ids=str,
)
def test_an_operator_that_its_kernel_refuses_is_an_error(
    case: tflm_ops.Case, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "op.tflite"
    path.write_bytes(case.pack())
    (found,) = findings(unknown_operator.RULE, path, load_profile(profiles()["stm32l4r5-tflm"]))
    assert found.message == message
    assert found.instead
    pi = load_profile(profiles()["raspberry-pi-4"])
    assert findings(unknown_operator.RULE, path, pi) == []


@pytest.fixture
def recurrent(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], bytes]]:
    monkeypatch.syspath_prepend(str(FOLDER.parents[1] / "graph"))
    import litert_hybrids
    import static_control

    return {**litert_hybrids.HYBRIDS, **static_control.MODELS}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("svdf_float32", ""),
        ("svdf_int8", ""),
        ("lstm_float32", ""),
        ("lstm_int8", ""),
        ("hybrid_filters_in_time", "activations and weights must both be float32 or int8"),
        ("hybrid_lstm_with_coupled_gates", "activations and weights must both be float32 or int8"),
        ("hybrid_half_precision", "only int8, uint8 and int16 are widened to float32"),
    ],
)
def test_layers_of_two_types_are_refused_and_those_of_one_are_not(
    name: str, message: str, tmp_path: Path, recurrent: dict[str, Callable[[], bytes]]
) -> None:
    runtime = pytest.importorskip(
        "tflite_micro.python.tflite_micro.runtime", reason="tflite-micro is not installed"
    )
    path = tmp_path / f"{name}.tflite"
    path.write_bytes(recurrent[name]())
    found = findings(unknown_operator.RULE, path, load_profile(profiles()["stm32l4r5-tflm"]))
    if message:
        assert message in found[0].message
        with pytest.raises(RuntimeError):
            runtime.Interpreter.from_file(str(path), arena_size=200_000)
    else:
        assert found == []
        runtime.Interpreter.from_file(str(path), arena_size=200_000).invoke()


def test_tflite_micro_computes_a_hybrid_lstm_wrongly_without_a_word(
    tmp_path: Path, recurrent: dict[str, Callable[[], bytes]]
) -> None:
    np = pytest.importorskip("numpy")
    micro = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    lite = pytest.importorskip("ai_edge_litert.interpreter")
    path = tmp_path / "lstm.tflite"
    path.write_bytes(recurrent["hybrid_lstm"]())
    ones = np.ones((1, 7, 5), np.float32)
    theirs = lite.Interpreter(str(path))
    theirs.allocate_tensors()
    theirs.set_tensor(theirs.get_input_details()[0]["index"], ones)
    theirs.invoke()
    ours = micro.Interpreter.from_file(str(path), arena_size=200_000)
    ours.set_input(ones, 0)
    ours.invoke()
    expected = theirs.get_tensor(theirs.get_output_details()[0]["index"])
    assert not np.allclose(ours.get_output(0), expected, atol=0.1)
    (found,) = findings(unknown_operator.RULE, path, load_profile(profiles()["stm32l4r5-tflm"]))
    assert "no such UNIDIRECTIONAL_SEQUENCE_LSTM: activations and weights must" in found.message
