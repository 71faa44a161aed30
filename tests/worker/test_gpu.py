"""LiteRT's GPU path, on the emulated GPU: what it takes, and that nothing else passes for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.worker.accelerated import DIGITS, TalkIn, emulated_gpu, no_gpu, with_l2_pooling
from tests.worker.talk import FOLDER, Talk

MODEL = DIGITS / "digits.tflite"
DATA = DIGITS / "data.npz"
ADAPTER = "SwiftShader Device (Subzero)"


def answers(talk: Talk, model: Path, out: Path, **asked: str) -> np.ndarray:
    talk.ok("hello", runtime="litert", **asked, emulated="delegate" in asked)
    talk.ok("load", path=str(model), threads=1)
    return talk.run(DATA, out, first=50)["output_0"]


def test_a_model_that_the_gpu_takes_whole_computes_what_the_cpu_computes(tmp_path: Path) -> None:
    with TalkIn(emulated_gpu()) as talk:
        on_gpu = answers(talk, MODEL, tmp_path / "gpu.npz", delegate="gpu")
        placement = talk.ok("placement")
        said = f"the time of {ADAPTER} is not that of a GPU"
        assert talk.ask("time", runs=3, warmup=1)["error"]["message"] == said
    with Talk() as talk:
        on_cpu = answers(talk, MODEL, tmp_path / "cpu.npz")
    assert placement == {
        "how": "counts",
        "accelerator": ADAPTER,
        "api": "WebGPU on Vulkan",
        "software": True,
        "operators": 7,
        "on": 7,
        "reasons": [],
        "idle": "",
    }
    # Seen: 2e-7 on probabilities, and never 0: the GPU adds in another order than XNNPACK.
    assert 0 < np.abs(on_gpu - on_cpu).max() < 1e-5


def test_the_operators_that_the_gpu_leaves_out_are_told_with_the_reason(tmp_path: Path) -> None:
    environment, model = emulated_gpu(), with_l2_pooling(tmp_path)
    with TalkIn(environment) as talk:
        beside = answers(talk, model, tmp_path / "gpu.npz", delegate="gpu")
        placement = talk.ok("placement")
    with Talk() as talk:
        on_cpu = answers(talk, model, tmp_path / "cpu.npz")
    # conv conv | l2 pooling | reshape dense dense softmax: the GPU takes the largest piece alone.
    assert (placement["operators"], placement["on"]) == (7, 4)
    assert placement["reasons"] == [["L2_POOL_2D", "Operation is not supported"]]
    assert np.abs(beside - on_cpu).max() < 1e-5


def test_without_a_gpu_nothing_runs_in_its_place() -> None:
    pytest.importorskip("ai_edge_litert")
    with TalkIn(no_gpu()) as talk:
        talk.ok("hello", runtime="litert", delegate="gpu")
        error = talk.ask("load", path=str(MODEL), threads=1)["error"]
        assert error["kind"] == "accelerator"
        assert error["message"].startswith("LiteRT finds no GPU: ")
        assert 'run = "emulate-gpu" needs no GPU' in error["hint"]
        assert talk.ask("time", runs=1, warmup=0)["error"]["message"] == "no model: load one first"


def test_a_gpu_in_software_does_not_pass_for_a_gpu() -> None:
    with TalkIn(emulated_gpu()) as talk:
        talk.ok("hello", runtime="litert", delegate="gpu")
        error = talk.ask("load", path=str(MODEL), threads=1)["error"]
        said = f"there is no GPU but {ADAPTER}, which is a program on the CPU"
        assert (error["kind"], error["message"]) == ("accelerator", said)


LIE = """
import sys
sys.path[:0] = [sys.argv[1]]
from ai_edge_litert.compiled_model import CompiledModel, HardwareAccelerator
both = HardwareAccelerator.GPU | HardwareAccelerator.CPU
print(CompiledModel.from_file(sys.argv[2], both).is_fully_accelerated())
sys.path[:0] = [sys.argv[3]]
from worker.refusal import Refusal
from worker.runtimes.litert_gpu import open_gpu
try:
    open_gpu({}).load(sys.argv[2], 1)
except Refusal as refusal:
    print(refusal.kind, refusal.message)
"""


def test_litert_claims_full_acceleration_without_a_gpu_library_and_is_not_believed(
    tmp_path: Path,
) -> None:
    """The same package without its GPU library, by links: LiteRT itself is not touched."""
    litert = pytest.importorskip("ai_edge_litert")
    package = Path(litert.__file__).parent
    copy = tmp_path / "ai_edge_litert"
    copy.mkdir()
    for entry in package.iterdir():
        if "GpuAccelerator" not in entry.name:
            (copy / entry.name).symlink_to(entry)
    said = subprocess.run(
        [sys.executable, "-c", LIE, tmp_path, MODEL, FOLDER.parent],
        capture_output=True,
        text=True,
        check=True,
    )
    lied, refused = said.stdout.splitlines()
    assert lied == "True"
    assert refused.startswith("accelerator LiteRT finds no GPU: ")


def test_options_of_the_gpu_are_checked() -> None:
    pytest.importorskip("ai_edge_litert")
    with Talk() as talk:
        for options, said in (
            ({"enforce_f23": "true"}, "LiteRT's GPU has no option 'enforce_f23'"),
            ({"enforce_f32": "yes"}, 'options.enforce_f32: must be "true" or "false", not \'yes\''),
        ):
            asked = talk.ask("hello", runtime="litert", delegate="gpu", options=options)
            assert asked["error"]["message"] == said
    with TalkIn(emulated_gpu()) as talk:
        options = {"enforce_f32": "true"}
        talk.ok("hello", runtime="litert", delegate="gpu", options=options, emulated=True)
        talk.ok("load", path=str(MODEL), threads=1)


def test_a_model_with_a_state_is_refused(models: Path) -> None:
    with TalkIn(emulated_gpu()) as talk:
        talk.ok("hello", runtime="litert", delegate="gpu")
        error = talk.ask("load", path=str(models / "counter.tflite"), threads=1)["error"]
    assert error["kind"] == "model"
    assert "cannot be reset on LiteRT's GPU" in error["message"]


@pytest.mark.parametrize("name", ["float_io", "int8_io"])
def test_integer_models_compute_on_the_gpu_within_a_step_or_two(
    models: Path, tmp_path: Path, name: str
) -> None:
    """The GPU computes in floats between integers, XNNPACK in integers."""
    found = []
    asked_for = {"delegate": "gpu", "emulated": True}
    for talk, asked in ((TalkIn(emulated_gpu()), asked_for), (Talk(), {})):
        with talk:
            talk.ok("hello", runtime="litert", **asked)
            talk.ok("load", path=str(models / f"{name}.tflite"), threads=1)
            (answer,) = talk.run(models / "dense.npz", tmp_path / "x.npz").values()
            found.append(answer)
    step = np.diff(np.unique(found[1])).min()
    assert np.abs(found[0] - found[1]).max() < 2.5 * step
