"""
Published models: exported and quantized, they answer as well as their READMEs say.

Accuracies of the sources are those of the folder's READMEs (other tools, same
samples); those after a pass were measured with the quantizers used by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.types import Step
from tests.passes.conftest import accuracy

from .conftest import Bench

pytestmark = pytest.mark.reference

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
SPREAD = np.array([0.229, 0.224, 0.225], np.float32)


@dataclass(frozen=True)
class Task:
    folder: str
    prepare: Callable[[np.ndarray], np.ndarray]


def keywords(x: np.ndarray) -> np.ndarray:
    return (x.astype(np.float32) - 83) * np.float32(0.5847029)


def pictures(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float32)


def normalised_pictures(x: np.ndarray) -> np.ndarray:
    return ((x.astype(np.float32) / 255 - MEAN) / SPREAD).transpose(0, 3, 1, 2)


def spectra(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float32) / 255


KWS = Task("kws_dscnn", keywords)
RESNET = Task("ic_resnet8", pictures)
MOBILE = Task("ic_resnet8", normalised_pictures)
SPOKEN = Task("fsdd_trainable", spectra)
MNIST = Task("mnist_cnn_onnx", pictures)


@pytest.fixture
def prepared(bench: Bench, reference_models: Path) -> Callable[[Task], tuple]:
    """Test samples and labels of a task; its calibration samples become the bench's data."""

    def load(task: Task) -> tuple[np.ndarray, np.ndarray]:
        with np.load(reference_models / task.folder / "data.npz") as file:
            np.savez(
                bench.root / "data.npz", x_calibration=task.prepare(file["x_calibration"][:200])
            )
            samples = task.prepare(file["x_test"]), file["y_test"]
        bench.data = bench.load(bench.root / "data.npz")
        return samples

    return load


SOURCES = [
    (KWS, "kws_model.h5", 0.9163),  # which only Keras 2 reads
    (KWS, "savedmodel", 0.9113),
    (RESNET, "resnet8.h5", 0.8822),
    (SPOKEN, "baseline.keras", 0.9533),
    (SPOKEN, "baseline_savedmodel", 0.9533),
]


@pytest.mark.slow
@pytest.mark.parametrize("wanted", ["tflite", "onnx"])
@pytest.mark.parametrize(("task", "name", "expected"), SOURCES, ids=lambda v: str(v)[:20])
def test_an_exported_model_is_as_good_as_published(
    task: Task,
    name: str,
    expected: float,
    wanted: str,
    bench: Bench,
    prepared,
    reference_models: Path,
) -> None:
    pytest.importorskip("tensorflow", reason="pip install 'pytest-edgebudget[tensorflow]'")
    inputs, labels = prepared(task)
    artifact = bench.source(reference_models / task.folder / "models" / name, wanted)
    read = graph.read(artifact.path)
    (index,) = read.main.inputs
    assert (read.tensors[index].shape or (0,))[0] == 1
    assert accuracy(artifact.path, inputs, labels) == pytest.approx(expected, abs=1 / len(labels))


# Size as a share of the float file; accuracy with two samples of play for
# float32 kernels of other CPUs.
QUANTIZED = [
    (KWS, "kws_float32.tflite", "float16", 0.55, 0.9137),
    (KWS, "kws_float32.tflite", "weights_int8", 0.40, 0.9163),
    (KWS, "kws_float32.tflite", "dynamic_int8", 0.39, 0.9150),
    (KWS, "kws_float32.tflite", "int8", 0.47, 0.9063),
    (RESNET, "resnet8_float32.tflite", "dynamic_int8", 0.29, 0.8822),
    (RESNET, "resnet8_float32.tflite", "int8", 0.31, 0.8822),
    (RESNET, "resnet8_float32.tflite", "int16x8", 0.31, 0.8872),
    (SPOKEN, "baseline_float32.tflite", "int8", 0.28, 0.9533),
    (SPOKEN, "baseline_float32.tflite", "int4_weights", 0.15, 0.9467),
    (KWS, "kws_alibaba_float.onnx", "weights_int8", 0.57, 0.9137),
    (KWS, "kws_alibaba_float.onnx", "int8", 1.01, 0.9075),
    (MOBILE, "ic_alibaba_float.onnx", "float16", 0.49, 0.8296),
    (MOBILE, "ic_alibaba_float.onnx", "int8", 0.38, 0.8296),
    (MNIST, "mnist.onnx", "int8", 0.52, 0.9836),
    (MNIST, "mnist.onnx", "int4_weights", 0.23, 0.9807),
]


@pytest.mark.parametrize(
    ("task", "name", "recipe", "share", "expected"), QUANTIZED, ids=lambda v: str(v)[:22]
)
def test_a_pass_saves_what_it_should_and_keeps_the_accuracy(
    task: Task,
    name: str,
    recipe: str,
    share: float,
    expected: float,
    bench: Bench,
    prepared,
    reference_models: Path,
) -> None:
    inputs, labels = prepared(task)
    source = bench.source(reference_models / task.folder / "models" / name)
    artifact = bench.build(Step(recipe), source=source)
    assert artifact.size <= share * source.size
    assert accuracy(artifact.path, inputs, labels) == pytest.approx(
        expected, abs=2.01 / len(labels)
    )


INTEGER = [
    "kws_dscnn/models/kws_int8.tflite",
    "kws_dscnn/models/kws_dynrange.tflite",
    "ic_resnet8/models/resnet8_int8.tflite",
    "ad_autoencoder/models/ad01_int8.tflite",
    "kws_dscnn/models/kws_qdq_int8.onnx",
    "ic_resnet8/models/resnet8_qdq_int8.onnx",
]


@pytest.mark.parametrize("name", INTEGER)
def test_a_published_integer_model_is_recognized(
    name: str, bench: Bench, prepared, reference_models: Path
) -> None:
    prepared(KWS)
    source = bench.source(reference_models / name)
    with pytest.raises(Exception, match="needs a float model, but weights are int8 already"):
        bench.build("int8", source=source)
