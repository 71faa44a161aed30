"""Models as converters write them: LiteRT's plan and onnxruntime's buffers, as the runtimes have them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from litert_arenas import arenas
from onnx_sessions import profile
from test_memory_litert import KERNELS, assert_same

from pytest_edgebudget import graph
from pytest_edgebudget.graph.memory import plan

NAMES = ("attention", "cnn", "conv1d", "decoder", "dilated", "lstm", "separable")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models of keras_models.py as .tflite and .onnx, with one sample or an open batch."""
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    folder = tmp_path_factory.mktemp("converted")
    command = [sys.executable, str(Path(__file__).parent / "keras_models.py"), str(folder)]
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(command, check=True, capture_output=True, timeout=600, env=quiet)
    return folder


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("name", NAMES)
def test_converted_models_are_planned_as_litert_plans_them(
    converted: Path, name: str, kernels: str
) -> None:
    path = converted / f"{name}.tflite"
    model = graph.read(path)
    assert_same(model, plan(model, "litert", kernels), arenas([path], kernels)[0])


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("name", [name for name in NAMES if name != "lstm"])
def test_an_open_batch_is_planned_as_litert_has_it_after_a_run_with_one_sample(
    converted: Path, name: str, kernels: str
) -> None:
    path = converted / f"{name}_open.tflite"
    model = graph.read(path)
    planned = plan(model, "litert", kernels)
    if name == "decoder":  # its output has a computed size
        assert "on the heap" in planned.reasons[-1]
        return
    if name == "dilated":  # it moves pixels into the batch, of which the file says one
        assert planned.reasons == ("the sizes of open tensors are other ones when the model runs",)
        return
    assert_same(model, planned, arenas([path], kernels, run=True)[0])


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("attention", "lstm")])
def test_converted_models_hold_what_onnxruntime_holds(
    converted: Path, tmp_path: Path, name: str
) -> None:
    path = converted / f"{name}.onnx"
    found, session = plan(graph.read(path), "onnxruntime"), profile(path, tmp_path)
    assert list(found.live) == session.in_use


def test_where_shapes_are_computed_onnxruntime_may_share_less(
    converted: Path, tmp_path: Path
) -> None:
    """The reader knows more shapes than the session, which shares only what it knows to fit."""
    path = converted / "attention.onnx"
    found, session = plan(graph.read(path), "onnxruntime"), profile(path, tmp_path)
    assert list(found.live) != session.in_use
    assert found.size == max(session.in_use)
