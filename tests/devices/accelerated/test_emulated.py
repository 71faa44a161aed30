"""run = "emulate-gpu": answers and placement of a GPU, and nothing physical."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices.accelerated import swiftshader
from pytest_edgebudget.devices.placement_facts import published_placement
from pytest_edgebudget.devices.ways import way_named
from pytest_edgebudget.errors import DeviceError
from pytest_edgebudget.facts import (
    EnergyFacts,
    InstructionFacts,
    MemoryFacts,
    PlacementFacts,
    Predictions,
    StartupFacts,
    Timings,
)
from pytest_edgebudget.testing import DeviceContract, descendants
from pytest_edgebudget.types import Evidence
from tests.devices.accelerated.help import DIGITS, device, placement
from tests.worker.accelerated import DATA, emulated_gpu, python_with, with_l2_pooling

MODEL = DIGITS / "digits.tflite"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten of the digits."""
    path = tmp_path_factory.mktemp("data") / "data.npz"
    with np.load(DIGITS / "data.npz") as arrays:
        np.savez(path, x_test=arrays["x_test"][:10])
    return path


class TestContract(DeviceContract):
    model = MODEL

    @pytest.fixture(autouse=True)
    def _few(self, data: Path) -> None:
        self.data = data

    @pytest.fixture
    def device(self):  # type: ignore[no-untyped-def]
        emulated_gpu()
        return device("gpu", "emulate-gpu")


def test_nothing_physical_is_told() -> None:
    gpu = device("gpu", "emulate-gpu")
    for kind, what in (
        (Timings, "latency"),
        (StartupFacts, "cold start"),
        (InstructionFacts, "an instruction count"),
        (MemoryFacts, "memory"),
        (EnergyFacts, "energy"),
    ):
        said = f"needs a GPU: {what} of an emulated one is not that of a GPU"
        assert gpu.refusal(kind) == said
    assert gpu.refusal(Predictions) == gpu.refusal(PlacementFacts) == ""
    assert gpu.evidence(Predictions) is Evidence.EMULATED
    assert gpu.formats == ("tflite", "onnx")


def test_a_model_that_fits_is_on_the_gpu_whole() -> None:
    emulated_gpu()
    found = placement(device("gpu", "emulate-gpu"), MODEL)
    assert (found.total.ops, found.off, found.partitions) == (7, (), 1)
    assert found.evidence is Evidence.EMULATED
    assert found.accelerator == "SwiftShader Device (Subzero)"
    assert found.tool.startswith("litert ")


def test_one_operator_that_the_gpu_lacks_leaves_all_before_it_to_the_cpu(tmp_path: Path) -> None:
    """Its log counts 4 and 3 operators: the GPU takes one piece of a model alone."""
    emulated_gpu()
    found = placement(device("gpu", "emulate-gpu"), with_l2_pooling(tmp_path))
    alone = "the GPU runs one piece of the model, the largest"
    assert [(op.kind, op.reason) for op in found.off] == [
        ("CONV_2D", alone),
        ("CONV_2D", alone),
        ("L2_POOL_2D", "operation is not supported"),
    ]
    assert (found.partitions, found.least, found.most) == (1, None, None)


def test_what_is_published_of_the_gpu_leaves_the_same_to_the_cpu(tmp_path: Path) -> None:
    emulated_gpu()
    model, gpu = with_l2_pooling(tmp_path), device("gpu", "emulate-gpu")
    told = published_placement(graph.read(model), gpu.choice.profile)
    seen = placement(gpu, model)
    assert [op.name for op in told.off] == [op.name for op in seen.off]
    assert (told.partitions, told.total, told.fallen) == (seen.partitions, seen.total, seen.fallen)


def test_onnx_models_run_through_webgpu() -> None:
    emulated_gpu()
    python_with("onnxruntime-webgpu")
    gpu = device("gpu", "emulate-gpu")
    found = placement(gpu, DIGITS / "digits.onnx")
    assert (found.off, found.accelerator) == ((), "WebGPU on SwiftShader")
    assert dict(gpu.identity("onnx").conditions)["provider"] == "WebGPU"


BUDGET = """
[device]
profile = "gpu"
[models.digits]
path = "digits.tflite"
data = "data.npz"
[models.digits.budget]
accuracy = "96 %"
cpu_fallback = { max = 0, evidence = ["emulated"] }
latency = { max = "1 s", when_missing = "skip" }
"""


def test_a_budget_is_judged_with_emulated_evidence_and_no_time(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEBUDGET_DATA", str(DATA))  # pytester has a home of its own
    emulated_gpu()
    for name in ("digits.tflite", "data.npz"):
        shutil.copy(DIGITS / name, pytester.path / name)
    (pytester.path / "gpu.toml").write_text(BUDGET)
    result = pytester.runpytest("-p", "no:randomly", "--edge-budget", "gpu.toml", "-rs")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*gpu.toml: gpu, run emulate-gpu, delegate gpu, provider WebGPU, 1 thread, litert*",
            "*accuracy *98.89 %*emulated*kept*",
            "*cpu_fallback *0.00 %*emulated*kept*",
            "*latency *skipped*",
        ]
    )


def test_without_swiftshader_the_command_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ai_edge_litert")
    monkeypatch.setenv("EDGEBUDGET_DATA", str(tmp_path))
    monkeypatch.setattr(swiftshader, "BROWSERS", ())
    gpu = device("gpu", "emulate-gpu")
    with pytest.raises(DeviceError, match="is not here") as caught, gpu.worker("tflite"):
        pass
    assert caught.value.hint == "run edgebudget devices install gpu"
    lacks = way_named("emulate-gpu").lacks(gpu.choice)
    assert ("SwiftShader, the emulated GPU, is not here", "edgebudget devices install gpu") in [
        (lack.what, lack.command) for lack in lacks
    ]


def test_only_profiles_with_such_a_gpu_run_so() -> None:
    refusal = way_named("emulate-gpu").refusal
    assert refusal(device("gpu", "static").choice.profile) == ""
    assert refusal(device("android-gpu", "static").choice.profile) == ""
    assert refusal(device("raspberry-pi-4", "static").choice.profile).startswith(
        "raspberry-pi-4 has no GPU"
    )


KILLED = """
import sys
from pathlib import Path
from pytest_edgebudget.devices.base import Samples
from tests.devices.accelerated.help import device
with device("gpu", "emulate-gpu").worker("tflite") as worker:
    worker.load(Path(sys.argv[1]))
    print("loaded", flush=True)
    for _ in range(1000):
        worker.run(Samples(path=Path(sys.argv[2]), split="test"), "reset", Path(sys.argv[3]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are found in /proc")
def test_when_we_are_killed_in_mid_run_nothing_stays_behind(tmp_path: Path) -> None:
    emulated_gpu()
    root, before = Path(__file__).parents[3], descendants()
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, MODEL, DIGITS / "data.npz", tmp_path / "out.npz"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=root,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "loaded\n"
    time.sleep(0.3)
    workers = descendants() - before - {child.pid}
    assert workers
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    end = time.monotonic() + 10
    while (left := [pid for pid in workers if _lives(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    assert not left


def _lives(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
