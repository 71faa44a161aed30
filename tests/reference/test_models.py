"""
Real models through the whole gate reach the accuracies that were measured elsewhere.

Expected values: the READMEs of the reference models (ai-edge-litert 2.3.0,
onnxruntime 1.32.0). Integer models are exact; floats may differ by a sample.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.reference, pytest.mark.slow]

DATA = """
import numpy as np

FOLDER = "{models}"
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])

def load(name, change):
    with np.load(f"{{FOLDER}}/{{name}}/data.npz") as arrays:
        found = {{key: arrays[key] for key in arrays.files if key[:2] in ("x_", "y_")}}
    return {{k: change(v).astype(np.float32) if k[0] == "x" else v for k, v in found.items()}}

def kws():
    return load("kws_dscnn", lambda x: (x.astype(np.float32) - 83) * 0.5847029)

def resnet():
    return load("ic_resnet8", lambda x: x)

def alibaba():
    return load("ic_resnet8", lambda x: ((x / 255 - MEAN) / STD).transpose(0, 3, 1, 2))

def mnist():
    return load("mnist_cnn_onnx", lambda x: x.reshape(-1, 1, 28, 28))

def digits():
    return load("fsdd_trainable", lambda x: x / 255)
"""

# model, data, accuracy, samples, whether it is an integer model
STATIC: list[tuple[str, str, float, int, bool]] = [
    ("kws_dscnn/models/kws_int8.tflite", "kws_dscnn/data.npz", 0.9025, 800, True),
    ("kws_dscnn/models/kws_dynrange.tflite", "reference_data:kws", 0.9025, 800, False),
    ("kws_dscnn/models/kws_float32.tflite", "reference_data:kws", 0.9137, 800, False),
    ("kws_dscnn/models/kws_alibaba_float.onnx", "reference_data:kws", 0.9113, 800, False),
    ("kws_dscnn/models/kws_qdq_int8.onnx", "reference_data:kws", 0.9, 800, True),
    ("ic_resnet8/models/resnet8_float32.tflite", "reference_data:resnet", 0.8822, 399, False),
    ("ic_resnet8/models/resnet8_int8.tflite", "reference_data:resnet", 0.8847, 399, True),
    ("ic_resnet8/models/resnet8_qdq_int8.onnx", "reference_data:resnet", 0.8847, 399, True),
    ("ic_resnet8/models/ic_alibaba_float.onnx", "reference_data:alibaba", 0.8296, 399, False),
    ("mnist_cnn_onnx/models/mnist.onnx", "reference_data:mnist", 0.9836, 4500, False),
    ("fsdd_trainable/models/baseline_float32.tflite", "reference_data:digits", 0.9533, 300, False),
]
EXPORTED: list[tuple[str, str, float, int, bool]] = [
    ("kws_dscnn/models/kws_model.h5", "reference_data:kws", 0.9163, 800, False),
    ("kws_dscnn/models/savedmodel", "reference_data:kws", 0.9113, 800, False),
    ("ic_resnet8/models/resnet8.h5", "reference_data:resnet", 0.8822, 399, False),
    ("fsdd_trainable/models/baseline.keras", "reference_data:digits", 0.9533, 300, False),
    ("fsdd_trainable/models/baseline_savedmodel", "reference_data:digits", 0.9533, 300, False),
]


def project(folder: Path, models: Path, cases: list[tuple[str, str, float, int, bool]]) -> None:
    """Budgets of size and accuracy for *cases*, with the data as their READMEs say."""
    (folder / "pyproject.toml").write_text("")
    (folder / "reference_data.py").write_text(DATA.format(models=models))
    tables = ['[device]\nprofile = "host"\n']
    for index, (path, data, _, _, _) in enumerate(cases):
        data = data if ":" in data else f"{models}/{data}"
        tables.append(
            f'[models.m{index}]\npath = "{models}/{path}"\ndata = "{data}"\n'
            f'[models.m{index}.budget]\nsize = "10 MiB"\naccuracy = 0.5\n'
        )
    (folder / "reference.toml").write_text("\n".join(tables))


def accuracies(folder: Path) -> dict[int, Any]:
    """Readings of accuracy by the number of the case."""
    report = json.loads((folder / "report.json").read_text())
    rows = [row for row in report["limits"] if row["metric"] == "accuracy"]
    return {int(row["model"][1:]): row["after"]["value"] for row in rows if row["after"]}


def gate(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess(
        "--edge-budget=reference.toml",
        "--edge-budget-report=json:report.json",
        "-p",
        "no:randomly",
        *arguments,
        timeout=1500,
    )


@pytest.mark.parametrize("cases", [STATIC, EXPORTED], ids=["files", "keras"])
def test_accuracies_are_those_of_the_readmes(
    pytester: pytest.Pytester,
    reference_models: Path,
    cases: list[tuple[str, str, float, int, bool]],
) -> None:
    pytest.importorskip("ai_edge_litert", reason="needs the extra litert")
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    # Only looked for: TensorFlow in the tests' own process would slow them all.
    if cases is EXPORTED and importlib.util.find_spec("tf_keras") is None:
        pytest.skip("needs the extra tensorflow")
    project(pytester.path, reference_models, cases)
    result = gate(pytester)
    found = accuracies(pytester.path)

    outcomes = result.parseoutcomes()
    assert outcomes.keys() <= {"passed", "warned"}  # two of the models have an open batch
    assert sum(outcomes.values()) == 3 * len(cases)  # with the lint items
    for index, (path, _, accuracy, samples, integer) in enumerate(cases):
        off = abs(found[index] - accuracy)
        allowed = 0.5 if integer else 1.5  # the README rounds to four digits
        assert off * samples <= allowed, (path, found[index], accuracy)


def test_a_model_without_data_is_gated_by_its_static_limits(
    pytester: pytest.Pytester, reference_models: Path
) -> None:
    folder = reference_models / "ad_autoencoder" / "models"
    (pytester.path / "pyproject.toml").write_text("")
    (pytester.path / "reference.toml").write_text(
        f"""
[device]
profile = "raspberry-pi-4"
[models.ad]
path = "{folder / "ad01_float32.tflite"}"
optimize = ["none", "float16", "weights_int8"]
[models.ad.budget]
size = "400 KiB"
macs = 300_000
"""
    )
    result = gate(pytester)

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["ad: weights_int8", "  size *kept", "  macs *264 k *kept"])


def test_keyword_spotting_fits_less_than_half_of_its_size_and_keeps_its_accuracy(
    pytester: pytest.Pytester, reference_models: Path
) -> None:
    """The goal at which four optimizers were measured: 45 % of the bytes, one point lost."""
    pytest.importorskip("litert_quantizer", reason="needs the extra litert")
    (pytester.path / "pyproject.toml").write_text("")
    (pytester.path / "reference_data.py").write_text(DATA.format(models=reference_models))
    (pytester.path / "reference.toml").write_text(
        f"""
[device]
profile = "raspberry-pi-4"
[models.kws]
path = "{reference_models}/kws_dscnn/models/kws_float32.tflite"
data = "reference_data:kws"
optimize = ["none", "float16", "int8", "weights_int8", "dynamic_int8"]
[models.kws.budget]
size = "42557 B"
accuracy = {{ min = "90 %", max_drop = "1 pp" }}
"""
    )
    result = gate(pytester)
    report = json.loads((pytester.path / "report.json").read_text())

    result.assert_outcomes(passed=3)
    assert report["models"][0]["recipe"] == "weights_int8"
    assert report["models"][0]["selected_on"] == "calibration"
    assert report["models"][0]["size"] / 94572 == pytest.approx(0.381, abs=0.01)
    assert accuracies_of(report) == pytest.approx(0.9163, abs=1.5 / 800)


def accuracies_of(report: dict[str, Any]) -> float:
    """The accuracy of a report with one model."""
    found: float = report["limits"][1]["after"]["value"]
    return found
