"""Delegates and providers on this machine: where operators ran, and what is refused."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from pytest_edgebudget.devices.accelerated import environments
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.ways import way_named
from pytest_edgebudget.errors import DeviceError, ModelError
from pytest_edgebudget.facts import (
    InstructionFacts,
    MemoryFacts,
    PlacementFacts,
    Predictions,
    Timings,
)
from pytest_edgebudget.testing import DeviceContract
from pytest_edgebudget.types import Evidence
from tests.devices.accelerated.help import DIGITS, RESHAPE, compile_delegate, device, placement
from tests.worker.accelerated import python_with

MODEL = DIGITS / "digits.tflite"
OPENVINO = "onnxruntime-openvino"


@pytest.fixture(scope="module")
def copier(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A delegate that copies what it takes."""
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    return str(compile_delegate(tmp_path_factory.mktemp("delegate")))


class TestContractOfADelegate(DeviceContract):
    model = MODEL

    @pytest.fixture
    def device(self, copier: str, tmp_path: Path):  # type: ignore[no-untyped-def]
        import numpy as np

        self.data = tmp_path / "few.npz"
        with np.load(DIGITS / "data.npz") as arrays:
            np.savez(self.data, x_test=arrays["x_test"][:10])
        return device(delegate=copier, options=(("take", f"{RESHAPE}"),))


def test_where_operators_ran_is_read_from_the_graph(copier: str) -> None:
    found = placement(device(delegate=copier, options=(("take", "22,25"),)), MODEL)
    assert (found.accelerator, found.partitions, found.evidence) == (
        "copier.so",
        2,
        Evidence.MEASURED,
    )
    assert [op.kind for op in found.off] == [
        *("CONV_2D", "CONV_2D", "MAX_POOL_2D", "FULLY_CONNECTED", "FULLY_CONNECTED"),
    ]
    assert {op.reason for op in found.off} == {"copier.so does not take it"}
    assert found.tool.endswith("its graph after the delegate")
    # All arithmetic is in what stayed on the CPU.
    assert found.fallen.macs == found.total.macs > 0


def test_a_delegate_that_takes_nothing_tells_that_and_nothing_else(copier: str) -> None:
    idle = device(delegate=copier)
    found = placement(idle, MODEL)
    assert (len(found.off), found.partitions) == (7, 0)
    with idle.worker("tflite") as worker:
        worker.load(MODEL)
        with pytest.raises(CannotTell, match="takes not one operator of the model"):
            worker.time(1)


def test_what_is_read_is_compared_with_the_same_delegate_only(copier: str) -> None:
    one = device(delegate=copier, options=(("take", "22"),)).identity("tflite")
    pairs = dict(one.conditions)
    assert pairs["options.take"] == "22"
    assert pairs["delegate"].startswith("copier.so ")
    other = Path(copier).with_name("other.so")
    other.write_bytes(Path(copier).read_bytes() + b"\0")
    assert dict(device(delegate=str(other)).identity("tflite").conditions) != pairs


def test_evidence_is_measured_on_this_machine_and_a_stand_in_elsewhere(copier: str) -> None:
    here, there = device(delegate=copier), device("raspberry-pi-4", delegate=copier)
    assert here.evidence(Predictions) is Evidence.MEASURED
    assert there.evidence(Predictions) is Evidence.HOST
    assert here.refusal(Timings) == ""
    assert "not that of raspberry-pi-4" in there.refusal(Timings)
    assert "books" in here.refusal(MemoryFacts)
    assert "counted of the CPU" in here.refusal(InstructionFacts)
    assert not here.repeats(Predictions)
    assert device(provider="XNNPACK").refusal(MemoryFacts) == ""
    assert device(provider="OpenVINO").refusal(MemoryFacts) != ""


def test_formats_without_an_accelerator_do_not_run_in_silence_on_the_cpu(copier: str) -> None:
    delegated = device(delegate=copier)
    assert delegated.formats == ("tflite",)
    with pytest.raises(ModelError, match=r"\.onnx models would run on the CPU"):
        delegated.runtime_for("onnx")
    assert device(provider="CUDA").formats == ("onnx",)


def test_a_delegate_that_is_not_there_is_infrastructure() -> None:
    pytest.importorskip("ai_edge_litert")
    with (
        device(delegate="/no/such/delegate.so").worker("tflite") as worker,
        pytest.raises(DeviceError, match=r"the delegate /no/such/delegate\.so cannot be loaded"),
    ):
        worker.load(MODEL)


def test_a_provider_that_is_not_installed_says_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEBUDGET_DATA", str(tmp_path))
    quantum = device(provider="QNN")
    with pytest.raises(DeviceError, match="QNN needs onnxruntime-qnn") as caught:
        quantum.identity("onnx")
    folder = tmp_path / "environments" / "onnxruntime-qnn"
    assert caught.value.hint == (
        f"{sys.executable} -m venv {folder} && {folder}/bin/python -m pip install onnxruntime-qnn numpy"
    )
    chosen = device(provider="QNN", python=sys.executable)
    with pytest.raises(DeviceError) as caught:
        chosen.identity("onnx")
    assert caught.value.hint == f"{sys.executable} -m pip install onnxruntime-qnn numpy"


def test_what_is_missing_is_told_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEBUDGET_DATA", str(tmp_path))
    lacks = way_named("host").lacks
    (quantum,) = lacks(device(provider="QNN").choice)
    assert quantum.what == "onnxruntime-qnn is not installed"
    assert quantum.command.endswith("pip install onnxruntime-qnn numpy")
    (made,) = lacks(device(provider="ACL").choice)
    assert made.command.startswith("no build on PyPI has it: build ONNX Runtime with it")
    nothing = lacks(device(delegate="/no/such/delegate.so").choice)
    assert nothing[0].what == "there is no library /no/such/delegate.so"
    assert lacks(device(delegate="libedgetpu.so.1", runtime="litert").choice) == []


def test_openvino_runs_from_an_environment_of_its_own() -> None:
    """It is found by itself where the hint says that it may be made."""
    python = python_with(OPENVINO)
    openvino = device(provider="OpenVINO", options=(("device_type", "CPU"),))
    identity = openvino.identity("onnx")
    assert identity.version == environments.installed(OPENVINO, python)
    assert ("provider", "OpenVINO") in identity.conditions
    found = placement(openvino, DIGITS / "digits.onnx")
    assert (found.off, found.partitions, found.evidence) == ((), 1, Evidence.MEASURED)
    assert found.total.ops == 12
    with openvino.worker("onnx") as worker:
        worker.load(DIGITS / "digits.onnx")
        assert min(worker.time(5, warmup=1)) > 0


def test_openvino_on_a_device_that_is_not_there_is_no_run_on_the_cpu() -> None:
    python_with(OPENVINO)
    openvino = device(provider="OpenVINO", options=(("device_type", "NPU"),))
    with openvino.worker("onnx") as worker, pytest.raises(DeviceError, match="OpenVINO"):
        worker.load(DIGITS / "digits.onnx")


@pytest.mark.skipif(
    not Path("/dev/nvidia0").exists(), reason="there is no NVIDIA GPU: /dev/nvidia0"
)
def test_cuda_runs_where_there_is_one() -> None:
    python_with("onnxruntime-gpu")
    found = placement(device(provider="CUDA"), DIGITS / "digits.onnx")
    assert found.evidence is Evidence.MEASURED
    assert found.partitions >= 1


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="there is an NVIDIA GPU here")
def test_cuda_without_a_gpu_is_an_error() -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    cuda = device(provider="CUDA", python=sys.executable)
    with pytest.raises(DeviceError, match="CUDA"), cuda.worker("onnx") as worker:
        worker.load(DIGITS / "digits.onnx")


BUDGET = """
[device]
delegate = "{library}"
options  = {{ take = "{take}" }}
[models.digits]
path = "digits.tflite"
data = "data.npz"
[models.digits.budget]
accuracy = "96 %"
cpu_fallback = {{ max = 0.9, of = "ops" }}
"""


def test_a_budget_names_its_delegate(copier: str, pytester: pytest.Pytester) -> None:
    for name in ("digits.tflite", "data.npz"):
        shutil.copy(DIGITS / name, pytester.path / name)
    (pytester.path / "board.toml").write_text(BUDGET.format(library=copier, take=RESHAPE))
    result = pytester.runpytest("-p", "no:randomly", "--edge-budget", "board.toml")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            f"*board.toml: host, run host, delegate {copier}, 1 thread, litert *",
            "*accuracy *98.89 %*measured*kept*",
            "*cpu_fallback *85.71 %*measured*kept*",
        ]
    )
    (pytester.path / "board.toml").write_text(BUDGET.format(library=copier, take="99"))
    result = pytester.runpytest("-p", "no:randomly", "--edge-budget", "board.toml")
    assert result.ret == 1
    result.stdout.fnmatch_lines_random(
        [
            "*accuracy is unmeasured: the delegate copier.so takes not one operator of the model*",
            "*cpu_fallback is broken: 100.00 %*",
        ]
    )


def test_placement_is_a_fact_of_the_device(copier: str) -> None:
    assert device(delegate=copier).source(PlacementFacts) is not None
    assert device().source(PlacementFacts) is None
