"""Published models in three runtimes reach the accuracies that were measured of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.devices import load_profile, open_device, profiles
from pytest_edgebudget.metrics import accuracy, ram
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import DeviceChoice
from tests.measure.help import artifact, data_file, read, wanted

pytestmark = pytest.mark.reference

LIBRARIES = {
    "litert": "ai_edge_litert",
    "onnxruntime": "onnxruntime",
    "tflite-runtime": "tflite_runtime",
}


def measured(
    models: Path, model: str, runtime: str, store: Store, folder: Path, scale: float = 0.0
) -> tuple[float, int]:
    """Accuracy and number of samples; with *scale*, keyword windows as floats."""
    if importlib.util.find_spec(LIBRARIES[runtime]) is None:
        pytest.skip(f"{runtime} is not installed")
    if runtime == "tflite-runtime" and np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        pytest.skip("tflite-runtime needs numpy below 2")
    path = models / model
    with np.load(path.parent.parent / "data.npz") as file:
        arrays = {name: file[name] for name in ("x_test", "y_test")}
    if scale:
        arrays["x_test"] = ((arrays["x_test"].astype(np.float32) - 83) * scale).astype(np.float32)
    data = data_file(folder / "data.npz", store, **arrays)
    host = load_profile(profiles()["host"])
    device = open_device(DeviceChoice(profile=host, run="host", runtime=runtime))
    found = read(artifact(path), wanted(accuracy.METRIC), device, store, data=data)
    return found.readings["accuracy"].value, len(arrays["y_test"])


@pytest.mark.parametrize(
    ("model", "runtime", "expected"),
    [
        ("kws_dscnn/models/kws_int8.tflite", "litert", 0.9025),
        ("ic_resnet8/models/resnet8_int8.tflite", "litert", 0.8847),
        ("ic_resnet8/models/resnet8_qdq_int8.onnx", "onnxruntime", 0.8847),
    ],
)
def test_integer_models_reach_it_exactly(
    reference_models: Path, model: str, runtime: str, expected: float, store: Store, tmp_path: Path
) -> None:
    value, _ = measured(reference_models, model, runtime, store, tmp_path)
    assert round(value, 4) == expected


@pytest.mark.parametrize(
    ("model", "runtime", "expected", "scale"),
    [
        ("kws_dscnn/models/kws_float32.tflite", "litert", 0.9137, 0.5847029),
        ("kws_dscnn/models/kws_float32.tflite", "tflite-runtime", 0.9137, 0.5847029),
        ("ic_resnet8/models/resnet8_float32.tflite", "litert", 0.8822, 0.0),
        ("ic_resnet8/models/resnet8_float32.tflite", "tflite-runtime", 0.8822, 0.0),
        ("mnist_cnn_onnx/models/mnist.onnx", "onnxruntime", 0.9836, 0.0),
    ],
)
def test_float_models_reach_it_within_one_sample(
    reference_models: Path,
    model: str,
    runtime: str,
    expected: float,
    scale: float,
    store: Store,
    tmp_path: Path,
) -> None:
    value, samples = measured(reference_models, model, runtime, store, tmp_path, scale)
    assert abs(value - expected) <= 1 / samples + 5e-5  # the figures have four digits


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("kws_dscnn/models/kws_int8.tflite", 0.9025),
        ("ic_resnet8/models/resnet8_int8.tflite", 0.8847),
    ],
)
def test_the_older_runtimes_integer_kernels_differ_by_few_samples(
    reference_models: Path, model: str, expected: float, store: Store, tmp_path: Path
) -> None:
    value, samples = measured(reference_models, model, "tflite-runtime", store, tmp_path)
    assert abs(value - expected) <= 3 / samples


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux's books")
def test_keyword_spotting_adds_about_320_kb_to_a_warm_worker(
    reference_models: Path, store: Store
) -> None:
    pytest.importorskip("ai_edge_litert", reason="the runtime of this test")
    device = open_device(DeviceChoice(profile=load_profile(profiles()["host"]), run="host"))
    model = artifact(reference_models / "kws_dscnn/models/kws_int8.tflite")
    found = read(model, wanted(ram.METRIC), device, store).readings["ram"]
    assert 280_000 <= found.value <= 360_000
    assert found.high - found.low <= 16_384 + 2 * ram.RESOLUTION  # the workers agree
    assert "56.0 KiB mapped file" in found.note
