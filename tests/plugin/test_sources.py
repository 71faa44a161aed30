"""Models and data that are functions, slices, metrics of one's own, other interpreters."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugin.conftest import BUDGET, Runner

FUNCTIONS = '''
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def model():
    return HERE / "digits.tflite"


def data():
    with np.load(HERE / "data.npz") as arrays:
        found = {key: arrays[key] for key in arrays.files}
    found["half_test"] = np.where(found["y_test"] < 5, "low", "high")
    found["half_val"] = np.where(found["y_val"] < 5, "low", "high")
    return found


def nines(outputs, labels, inputs):
    """Share of the nines that are read as such."""
    return float((outputs.argmax(1)[labels == 9] == 9).mean())
'''


@pytest.fixture
def functions(project: Path) -> None:
    (project / "mine.py").write_text(FUNCTIONS)


@pytest.mark.usefixtures("functions")
def test_model_data_and_metric_may_be_functions_and_the_worst_slice_is_an_item(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    write(
        BUDGET.replace('"digits.tflite"', '"mine:model"')
        .replace('"data.npz"', '"mine:data"')
        .replace('max_drop = "1 pp" }', 'max_drop = "1 pp", slices = "half" }\nnines = 0.9')
        + '[models.digits.metrics.nines]\nfunction = "mine:nines"\nbetter = "higher"\n'
    )
    result = gate("--edge-budget", "pi4.toml", "--edge-budget-report=json:report.json", "-v")
    report = json.loads((project / "report.json").read_text())
    rows = {row["metric"]: row for row in report["limits"]}

    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["pi4.toml::digits::accuracy[[]half[]] PASSED*"])
    assert rows["accuracy[half]"]["after"]["value"] <= rows["accuracy"]["after"]["value"]
    assert "high" in rows["accuracy[half]"]["after"]["note"]
    assert rows["nines"]["after"]["value"] == pytest.approx(1.0, abs=0.1)


def test_the_id_of_a_slice_can_be_pasted_back(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    (project / "mine.py").write_text(FUNCTIONS)
    write(
        BUDGET.replace('"data.npz"', '"mine:data"').replace(
            'max_drop = "1 pp" }', 'max_drop = "1 pp", slices = "half" }'
        )
    )

    gate("pi4.toml::digits::accuracy[half]").assert_outcomes(passed=1)


@pytest.mark.usefixtures("functions")
def test_a_function_that_fails_is_told_with_its_file_and_line(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    (project / "mine.py").write_text("def data():\n    return 1 / 0\n")
    write(BUDGET.replace('"data.npz"', '"mine:data"'))
    result = gate("--edge-budget", "pi4.toml")

    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["*ZeroDivisionError*", "*mine.py*"])


def test_tflite_runtime_runs_in_a_python_of_its_own(
    gate: Runner, write: Callable[[str], None]
) -> None:
    pytest.importorskip("tflite_runtime", reason="needs tflite-runtime, which needs numpy 1")
    write(
        BUDGET.replace(
            '"raspberry-pi-4"',
            f'"raspberry-pi-4"\nruntime = "tflite-runtime"\npython = "{sys.executable}"',
        )
    )
    result = gate("--edge-budget", "pi4.toml")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["edge budget: pi4.toml: *tflite-runtime 2.14.0"])


def test_an_onnx_model_is_optimized_and_run_by_onnxruntime(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    digits = Path(__file__).parent.parent.parent / "examples" / "digits" / "digits.onnx"
    (project / "digits.onnx").write_bytes(digits.read_bytes())
    write(
        BUDGET.replace("digits.tflite", "digits.onnx")
        .replace('"32 KiB"', '"40 KiB"')
        .replace('"24 KiB"', '"32 KiB"')
    )
    result = gate("--edge-budget", "pi4.toml")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["edge budget: pi4.toml: *onnxruntime *", "digits: int8"])


@pytest.mark.slow
def test_a_keras_model_is_exported_with_a_batch_of_one(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    pytest.importorskip("keras", reason="needs the extra tensorflow")
    digits = Path(__file__).parent.parent.parent / "examples" / "digits" / "digits.keras"
    (project / "digits.keras").write_bytes(digits.read_bytes())
    write(BUDGET.replace("digits.tflite", "digits.keras"))
    result = gate("--edge-budget", "pi4.toml")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["digits: int8"])


@pytest.mark.usefixtures("functions")
def test_a_broken_limit_in_plain_numbers_is_explained_in_every_report(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    write(
        BUDGET.replace('"data.npz"', '"mine:data"')
        .replace('["none", "float16", "int8"]', '["int8"]')
        .replace("[models.digits.budget]", "[models.digits.budget]\nnines = 2.0\ncosine = 1.0")
        + '[models.digits.metrics.nines]\nfunction = "mine:nines"\nbetter = "higher"\n'
    )
    result = gate(
        "--edge-budget=pi4.toml",
        "--edge-budget-report=markdown:report.md",
        "--edge-budget-report=json:report.json",
    )

    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines(
        ["digits: nines is broken: *under the limit of 2*", "digits: cosine is broken: *"]
    )
    assert "nines" in (project / "report.md").read_text()
    assert len(json.loads((project / "report.json").read_text())["limits"]) == 5


def test_a_model_with_two_inputs_takes_both_by_name_and_is_calibrated_with_both(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    np = pytest.importorskip("numpy", reason="numpy writes the data")
    onnx = pytest.importorskip("onnx", reason="onnx writes the model")
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    random = np.random.default_rng(0)
    weights = {name: random.normal(size=(32, 3)).astype(np.float32) for name in ("wl", "wr")}
    tensor = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("MatMul", ["left", "wl"], ["l"]),
            onnx.helper.make_node("MatMul", ["right", "wr"], ["r"]),
            onnx.helper.make_node("Add", ["l", "r"], ["scores"]),
        ],
        "pair",
        [tensor(name, onnx.TensorProto.FLOAT, [1, 32]) for name in ("left", "right")],
        [tensor("scores", onnx.TensorProto.FLOAT, [1, 3])],
        [onnx.numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), project / "p.onnx")
    left, right = random.normal(size=(2, 300, 32)).astype(np.float32)
    labels = (left @ weights["wl"] + right @ weights["wr"]).argmax(1)
    arrays = {"x_test/right": right, "x_test/left": left, "y_test": labels}
    calibration = {"x_calibration/left": left[:50], "x_calibration/right": right[:50]}
    np.savez(project / "pair.npz", **arrays, **calibration)
    write(
        '[device]\nprofile = "raspberry-pi-4"\n[models.pair]\npath = "p.onnx"\n'
        'data = "pair.npz"\noptimize = ["int8"]\n[models.pair.budget]\naccuracy = 0.9\n'
    )
    result = gate("--edge-budget", "pi4.toml")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["pair: int8", "  accuracy *100.00 % *kept"])
