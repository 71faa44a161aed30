"""`max_drop` with a confidence: int8 and int4 of the digits against float, on the same samples."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_edgebudget.report.schema import FILE as SCHEMA
from tests.plugin.conftest import Runner

MODEL = """
[models.{name}]
path = "digits.tflite"
data = "data.npz"
optimize = ["{recipe}"]
[models.{name}.budget]
accuracy = {{ max_drop = "{drop}", confidence = 0.95 }}
"""
CONFIDENT = ", confidence = 0.95"
DEVICE = '[device]\nprofile = "raspberry-pi-4"\n'
REPORT = ("--edge-budget", "pi4.toml", "--edge-budget-report=json:report.json")


def right(model: Path, project: Path) -> Any:
    """Which of the test's digits the file classifies right, by LiteRT itself."""
    np = pytest.importorskip("numpy", reason="data are arrays")
    litert = pytest.importorskip("ai_edge_litert.interpreter", reason="needs the extra litert")
    interpreter = litert.Interpreter(model_path=str(model))
    interpreter.allocate_tensors()
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero = source["quantization"]
    with np.load(project / "data.npz") as data:
        images, labels = data["x_test"], data["y_test"]
    if scale:
        images = np.clip(np.round(images / scale) + zero, -128, 127).astype(source["dtype"])
    answers = []
    for image in images:
        interpreter.set_tensor(source["index"], image[np.newaxis])
        interpreter.invoke()
        answers.append(interpreter.get_tensor(sink["index"])[0].argmax())
    return np.array(answers) == labels


def test_the_drop_is_judged_by_the_samples_that_flipped(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is what it is compared with")
    drops = {"int8": "5 pp", "int4_weights": "1 pp"}
    write(DEVICE + "".join(_model(name, name, drop) for name, drop in drops.items()))
    result = gate(*REPORT, "--edge-budget-artifacts=gated")
    report = json.loads((project / "report.json").read_text())
    before = right(project / "digits.tflite", project)

    jsonschema.validate(report, json.loads(SCHEMA.read_text()))
    assert [row["outcome"] for row in report["limits"]] == ["kept", "undecided"]
    for row in report["limits"]:
        after = right(project / "gated" / "pi4" / f"{row['model']}.tflite", project)
        worse, better = (before & ~after).nonzero()[0], (~before & after).nonzero()[0]
        drop = row["drop"]
        assert (drop["worse_at"], drop["better_at"]) == (worse.tolist(), better.tolist())
        p = stats.binomtest(len(worse), len(worse) + len(better)).pvalue
        assert drop["p"] == pytest.approx(p)
        assert drop["low"] < before.mean() - after.mean() < drop["high"]
    assert report["limits"][1]["drop"]["needed"] > 540
    result.stdout.fnmatch_lines(["*of 540 samples * right -> wrong*", "*samples would decide)"])


def test_without_a_confidence_the_value_is_judged_and_the_interval_shown(
    gate: Runner, write: Callable[[str], None]
) -> None:
    write(DEVICE + _model("int4_weights", "int4_weights", "1 pp").replace(CONFIDENT, ""))
    result = gate("--edge-budget", "pi4.toml")

    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*dropped by 0.37 pp (-* to *pp at 95 %), of 540 samples*"])
    result.stdout.no_fnmatch_line("*would decide*")


def _model(name: str, recipe: str, drop: str) -> str:
    return MODEL.format(name=name, recipe=recipe, drop=drop)
