"""This machine as a device: runtimes, other Pythons, workers that die."""

from __future__ import annotations

import os
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from threading import Timer

import pytest

import pytest_edgebudget.worker
from pytest_edgebudget.devices import CannotTell, Device, load_profile, open_device, profiles
from pytest_edgebudget.devices.client import WorkerClient
from pytest_edgebudget.errors import DeviceError, EdgeBudgetError, MissingExtra, ModelError
from pytest_edgebudget.facts import MemoryFacts, Predictions, Timings
from pytest_edgebudget.types import DeviceChoice, Evidence

WARM = Path(pytest_edgebudget.worker.__file__).parent


def device(profile: str = "host", **choice: str) -> Device:
    facts = load_profile(profiles()[profile])
    return open_device(DeviceChoice(profile=facts, **{"run": "host", **choice}))  # type: ignore[arg-type]


def test_the_first_runtime_of_the_profile_that_runs_a_format_is_taken() -> None:
    assert device().formats == ("tflite", "onnx")
    assert device().runtime_for("tflite") == "litert"
    assert device().runtime_for("onnx") == "onnxruntime"
    assert device(runtime="tflite-runtime").runtime_for("tflite") == "tflite-runtime"


def test_a_format_that_the_chosen_runtime_does_not_run_is_told() -> None:
    with pytest.raises(ModelError, match=r"tflite-runtime cannot run \.onnx models"):
        device(runtime="tflite-runtime").runtime_for("onnx")


def test_what_is_run_here_stands_in_for_a_board_but_its_time_does_not() -> None:
    assert device().evidence(Predictions) is Evidence.MEASURED
    board = device("raspberry-pi-4")
    assert board.evidence(Predictions) is Evidence.HOST
    assert (
        board.refusal(Timings)
        == "needs the device: latency of this machine is not that of raspberry-pi-4"
    )
    assert [board.refusal(kind) for kind in (Predictions, MemoryFacts)] == ["", ""]
    assert device().refusal(Timings) == ""


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"run": "telnet://pi4"}, "there is no such way to run a model\n  known: host"),
        ({"runtime": "litrt"}, "there is no runtime 'litrt'\n  known: litert, "),
        ({"python": "/no/python"}, "python = '/no/python': there is no such program"),
    ],
)
def test_a_device_that_is_not_there_is_told(choice: dict[str, str], message: str) -> None:
    with pytest.raises(EdgeBudgetError) as caught:
        device(**choice)
    assert message in str(caught.value)


def test_identity_is_known_without_a_worker() -> None:
    pytest.importorskip("onnxruntime", reason="the runtime of this test")
    found = device().identity("onnx")
    assert (found.runtime, found.version) == ("onnxruntime", version("onnxruntime"))


@pytest.fixture
def another_python(tmp_path: Path) -> str:
    """An interpreter at another place, with the same libraries."""
    if os.name != "posix":
        pytest.skip("a shell script")
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    return str(script)


def test_a_python_of_its_own_runs_the_worker(another_python: str) -> None:
    pytest.importorskip("onnxruntime", reason="the runtime of this test")
    other = device(python=another_python)
    assert other.identity("onnx").version == version("onnxruntime")
    with other.worker("onnx") as worker:
        loaded = worker.load(WARM / "warm.onnx")
    assert loaded.outputs == ("y",)


def test_a_runtime_that_another_python_lacks_is_missing_there(tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("a shell script")
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')  # no site-packages
    script.chmod(0o755)
    with pytest.raises(MissingExtra) as caught:
        device(python=str(script)).identity("onnx")
    assert f"onnxruntime, which is not installed\n  {script} -m pip install" in str(caught.value)


def test_a_worker_killed_in_mid_run_is_named_with_its_signal(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the runtime of this test")
    with device().worker("onnx") as worker:
        assert isinstance(worker, WorkerClient)
        worker.load(WARM / "warm.onnx")
        Timer(0.5, os.kill, [worker.pid, signal.SIGSEGV]).start()
        with pytest.raises(DeviceError) as caught:
            worker.time(10_000_000)
    assert caught.value.message == (
        "the onnxruntime worker was killed by SIGSEGV (11) while timing warm.onnx"
    )


def test_a_model_that_the_runtime_refuses_is_the_models_fault(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the runtime of this test")
    path = tmp_path / "broken.onnx"
    path.write_bytes((WARM / "warm.onnx").read_bytes()[:-40])
    with device().worker("onnx") as worker, pytest.raises(ModelError, match=r"^broken\.onnx: onnx"):
        worker.load(path)


def test_instructions_of_onnxruntime_cannot_be_told() -> None:
    with pytest.raises(CannotTell, match="onnxruntime names no function"):
        device().instructions(WARM / "warm.onnx", lambda worker: None)


def test_without_valgrind_the_reason_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotTell, match="valgrind is not installed: apt install valgrind"):
        device().instructions(WARM / "warm.tflite", lambda worker: None)


@pytest.mark.slow
def test_instructions_are_the_same_to_the_last_one_in_two_runs() -> None:
    pytest.importorskip("ai_edge_litert", reason="the runtime of this test")
    try:
        found = [device().instructions(WARM / "warm.tflite", lambda worker: None) for _ in "12"]
    except CannotTell as error:
        pytest.skip(error.message)
    assert found[0] == found[1]
    assert 1_000 < found[0].count < 1_000_000
