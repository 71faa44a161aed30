"""Models with state, several inputs, and quantized inputs, in both interpreters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.worker.svdf import sum_of_last_two
from tests.worker.talk import FOLDER, Talk

INTERPRETERS = [("litert", "ai_edge_litert"), ("tflite-runtime", "tflite_runtime")]


@pytest.fixture(params=INTERPRETERS, ids=[name for name, _ in INTERPRETERS])
def runtime(request: pytest.FixtureRequest) -> str:
    name, library = request.param
    pytest.importorskip(library, reason=f"{name} is not installed")
    if name == "tflite-runtime" and np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        pytest.skip("tflite-runtime needs numpy below 2")
    return str(name)


def test_resource_variables_are_reset_or_carried(
    models: Path, runtime: str, tmp_path: Path
) -> None:
    data = tmp_path / "data.npz"
    np.savez(data, x_test=np.array([[1, 2], [10, 20], [100, 200]], np.float32))
    with Talk() as talk:
        talk.open(runtime, models / "counter.tflite")
        reset = talk.run(data, tmp_path / "reset.npz")["total"]
        carried = talk.run(data, tmp_path / "carried.npz", "carried")["total"]
        again = talk.run(data, tmp_path / "again.npz", "carried")["total"]
    assert reset.tolist() == [[1, 2], [10, 20], [100, 200]]
    assert carried.tolist() == [[1, 2], [11, 22], [111, 222]]
    assert again.tolist() == carried.tolist()


def test_variable_tensors_are_reset_or_carried(runtime: str, tmp_path: Path) -> None:
    """SVDF with one filter and a memory of two adds up its last two inputs."""
    pytest.importorskip("ai_edge_litert", reason="its schema writes the model")
    model, data = tmp_path / "svdf.tflite", tmp_path / "data.npz"
    model.write_bytes(sum_of_last_two())
    np.savez(data, x_test=np.array([[1], [10], [100]], np.float32))
    with Talk() as talk:
        talk.open(runtime, model)
        (reset,) = talk.run(data, tmp_path / "reset.npz").values()
        (carried,) = talk.run(data, tmp_path / "carried.npz", "carried").values()
    assert reset.tolist() == [[1], [10], [100]]
    assert carried.tolist() == [[1], [11], [110]]


def test_several_inputs_and_outputs_go_by_the_signatures_names(
    models: Path, runtime: str, tmp_path: Path
) -> None:
    left = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    right = np.array([[10, 20], [30, 40]], np.float32)
    data = tmp_path / "data.npz"
    np.savez(data, **{"x_test/right": right, "x_test/left": left})
    with Talk() as talk:
        talk.open(runtime, models / "pair.tflite")
        found = talk.run(data, tmp_path / "out.npz")
    assert {name: array.tolist() for name, array in found.items()} == {
        "sum": [36, 85],
        "scaled": [[30, 60], [90, 120]],
        "first": [[-9], [-26]],
    }


def test_quantized_inputs_and_outputs_give_what_the_runtimes_own_quantize_gives(
    models: Path, runtime: str, tmp_path: Path
) -> None:
    answers = []
    for name in ("float_io", "int8_io"):
        with Talk() as talk:
            talk.open(runtime, models / f"{name}.tflite")
            answers += talk.run(models / "dense.npz", tmp_path / f"{name}.npz").values()
    np.testing.assert_allclose(answers[1], answers[0], rtol=1e-6)


def test_a_file_that_the_runtime_refuses_is_a_refusal_with_its_words(
    runtime: str, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes((FOLDER / "warm.tflite").read_bytes()[:100])
    with Talk() as talk:
        talk.ok("hello", runtime=runtime)
        error = talk.ask("load", path=str(broken), threads=1)["error"]
    assert error["kind"] == "model"
    assert error["message"].startswith(runtime)
    assert "refuses the model" in error["message"]


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux's books")
def test_memory_is_the_same_in_fresh_workers_and_counts_the_mapped_file(runtime: str) -> None:
    found = []
    for _ in range(2):
        with Talk() as talk:
            talk.ok("hello", runtime=runtime)
            found.append(talk.ok("memory", path=str(FOLDER / "warm.tflite"), threads=1))
    assert found[0]["mapped"] == 8192  # 4284 bytes are two pages of 4 KiB
    assert abs(found[0]["anonymous"] - found[1]["anonymous"]) <= 16384
    assert found[0]["anonymous"] < 262144


def test_times_are_one_a_run_without_the_warm_up(runtime: str) -> None:
    with Talk() as talk:
        talk.open(runtime, FOLDER / "warm.tflite")
        times = talk.ok("time", runs=7, warmup=2)["ns"]
    assert len(times) == 7
    assert all(time > 0 for time in times)
