"""The reference models on the emulated GPU: whole, and with the CPU's answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.devices.base import Samples
from tests.devices.accelerated.help import device, placement
from tests.worker.accelerated import emulated_gpu

pytestmark = pytest.mark.reference
MODELS = {
    # The largest difference that was seen with ai-edge-litert 2.3.0, of answers of that size.
    "ic_resnet8/models/resnet8_float32": (5.1e-7, 1.0),
    "kws_dscnn/models/kws_float32": (6e-8, 1.0),
    "ad_autoencoder/models/ad01_float32": (2.3e-5, 42.0),
}
FACTOR = 20  # other seeds, other drivers


def answers(run: str, model: Path, data: Path, out: Path, **choice: str) -> np.ndarray:
    with device("gpu", run, **choice).worker("tflite") as worker:
        worker.load(model)
        worker.run(Samples(path=data, split="test"), "reset", out)
    with np.load(out) as arrays:
        return np.asarray(arrays["0"])


@pytest.mark.parametrize("name", MODELS)
def test_float_models_answer_as_on_the_cpu(
    name: str, reference_models: Path, tmp_path: Path
) -> None:
    emulated_gpu()
    from ai_edge_litert.interpreter import Interpreter

    model, (seen, size) = reference_models / f"{name}.tflite", MODELS[name]
    shape = Interpreter(model_path=str(model)).get_input_details()[0]["shape"]
    data = tmp_path / "data.npz"
    np.savez(data, x_test=np.random.default_rng(0).random((4, *shape[1:]), dtype=np.float32))
    on_gpu = answers("emulate-gpu", model, data, tmp_path / "gpu.npz")
    on_cpu = answers("host", model, data, tmp_path / "cpu.npz")
    assert np.abs(on_cpu).max() <= 2 * size
    assert np.abs(on_gpu - on_cpu).max() < FACTOR * seen
    found = placement(device("gpu", "emulate-gpu"), model)
    assert (found.off, found.partitions) == ((), 1)


def test_int8_models_run_on_the_gpu_whole(reference_models: Path) -> None:
    """As floats between the integers, so the GPU takes them."""
    emulated_gpu()
    for name in ("ic_resnet8/models/resnet8_int8", "kws_dscnn/models/kws_int8"):
        found = placement(device("gpu", "emulate-gpu"), reference_models / f"{name}.tflite")
        assert (found.off, found.partitions) == ((), 1)
