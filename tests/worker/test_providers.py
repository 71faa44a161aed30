"""Execution providers of ONNX Runtime: what they ran, and that the CPU does not pass for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_edgebudget.devices.accelerated import swiftshader
from tests.worker.accelerated import DIGITS, TalkIn, no_gpu, python_with
from tests.worker.talk import Talk

MODEL = DIGITS / "digits.onnx"
DATA = DIGITS / "data.npz"
WEBGPU, OPENVINO = "onnxruntime-webgpu", "onnxruntime-openvino"


def emulated() -> dict[str, str]:
    place = swiftshader.find()
    if place is None:
        pytest.skip("SwiftShader is not here: edgebudget devices install gpu")
    return {**os.environ, **swiftshader.environment(place)}


def on_cpu(out: Path, first: int) -> np.ndarray:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    with Talk() as talk:
        talk.open("onnxruntime", MODEL)
        (answer,) = talk.run(DATA, out, first=first).values()
        return answer


def kinds(placement: dict[str, Any], provider: str) -> set[str]:
    return {kind for name, kind, _ in placement["ran"] if name == provider}


def test_webgpu_runs_on_the_emulated_gpu_and_its_profile_proves_it(tmp_path: Path) -> None:
    with TalkIn(emulated(), python_with(WEBGPU)) as talk:
        talk.ok("hello", runtime="onnxruntime", provider="WebGPU", emulated=True)
        talk.ok("load", path=str(MODEL), threads=1)
        placement = talk.ok("placement")
        (answer,) = talk.run(DATA, tmp_path / "gpu.npz", first=20).values()
    assert talk.process.wait(20) == 0  # and does not crash while it is unloaded
    assert (placement["accelerator"], placement["software"]) == ("WebGPU on SwiftShader", True)
    assert {"Conv", "MaxPool", "Gemm", "Softmax"} <= kinds(placement, "WebGpuExecutionProvider")
    assert kinds(placement, "CPUExecutionProvider") == set()
    difference = np.abs(answer - on_cpu(tmp_path / "cpu.npz", 20)).max()
    assert 0 < difference < 1e-5  # seen: 5e-7


def test_without_an_adapter_webgpu_is_refused(tmp_path: Path) -> None:
    with TalkIn(no_gpu(), python_with(WEBGPU)) as talk:
        talk.ok("hello", runtime="onnxruntime", provider="WebGPU")
        error = talk.ask("load", path=str(MODEL), threads=1)["error"]
    assert error["kind"] == "accelerator"
    assert error["message"].startswith("the provider WebGPU does not start: ")
    assert "Failed to get a WebGPU adapter" in error["message"]


def test_openvino_takes_the_model_and_tells_which_nodes(tmp_path: Path) -> None:
    with TalkIn(os.environ, python_with(OPENVINO)) as talk:
        options = {"device_type": "CPU"}
        talk.ok("hello", runtime="onnxruntime", provider="OpenVINO", options=options)
        talk.ok("load", path=str(MODEL), threads=1)
        placement = talk.ok("placement")
        (answer,) = talk.run(DATA, tmp_path / "ov.npz", first=50).values()
        assert min(talk.ok("time", runs=3, warmup=1)["ns"]) > 0
    (piece,) = placement["assigned"]
    assert piece[0] == "OpenVINOExecutionProvider"
    assert {"Conv", "Gemm", "Softmax"} <= {kind for kind, _ in piece[1]}
    assert {name for name, _, _ in placement["ran"]} == {"OpenVINOExecutionProvider"}
    assert np.abs(answer - on_cpu(tmp_path / "cpu.npz", 50)).max() < 1e-5


def test_a_provider_that_is_left_out_without_a_word_is_told() -> None:
    """ONNX Runtime goes on with the CPU when OpenVINO has no such device."""
    with TalkIn(os.environ, python_with(OPENVINO)) as talk:
        options = {"device_type": "GPU"}
        talk.ok("hello", runtime="onnxruntime", provider="OpenVINO", options=options)
        error = talk.ask("load", path=str(MODEL), threads=1)["error"]
        assert error["kind"] == "accelerator"
        assert "OpenVINO" in error["message"]
    with TalkIn(os.environ, python_with(OPENVINO)) as talk:
        options = {"device_typ": "CPU"}
        talk.ok("hello", runtime="onnxruntime", provider="OpenVINO", options=options)
        error = talk.ask("load", path=str(MODEL), threads=1)["error"]
        assert "does not start" in error["message"]
        assert "device_typ" in error["message"]


def test_a_build_without_the_provider_says_which_build_has_it() -> None:
    library = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    if "CUDAExecutionProvider" in library.get_available_providers():
        pytest.skip("this build of onnxruntime has CUDA")
    with Talk() as talk:
        error = talk.ask("hello", runtime="onnxruntime", provider="CUDA")["error"]
        assert error["kind"] == "accelerator"
        assert error["message"].startswith(f"this onnxruntime {library.__version__} has no CUDA")
        assert error["hint"].startswith("pip install onnxruntime-gpu numpy")
        error = talk.ask("hello", runtime="onnxruntime", provider="ACL")["error"]
        assert error["hint"].startswith("no build on PyPI has it")
        error = talk.ask("hello", runtime="onnxruntime", provider="CUBA")["error"]
        assert error["message"] == "there is no provider 'CUBA'"
