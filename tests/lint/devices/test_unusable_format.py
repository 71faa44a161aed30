"""EB411: a model in a format that nothing on the device runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_edgebudget.devices import load_profile, profiles
from pytest_edgebudget.lint.devices import unusable_format
from tests.lint.check import findings, messages

EXAMPLES = Path(__file__).parents[3] / "examples"
ONNX, TFLITE = EXAMPLES / "digits" / "digits.onnx", EXAMPLES / "digits" / "digits.tflite"
RULE = unusable_format.RULE


@pytest.mark.parametrize(
    ("board", "runtimes"), [("stm32l4r5-tflm", "tflm"), ("ethos-u55-128", "tflm and tosa")]
)
def test_an_onnx_model_does_not_run_on_a_microcontroller(board: str, runtimes: str) -> None:
    (found,) = findings(RULE, ONNX, load_profile(profiles()[board]))
    assert found.message == f"{board} runs no .onnx models: {runtimes} there"
    assert found.instead == "export the model to .tflite"


def test_a_tflite_model_does_not_run_where_only_onnxruntime_is() -> None:
    pi = replace(load_profile(profiles()["raspberry-pi-4"]), runtimes=("onnxruntime",))
    assert messages(RULE, TFLITE, pi) == [
        "raspberry-pi-4 runs no .tflite models: onnxruntime there"
    ]


@pytest.mark.parametrize("path", [ONNX, TFLITE], ids=lambda path: path.suffix)
def test_a_device_with_a_runtime_for_each_format_takes_both(path: Path) -> None:
    assert messages(RULE, path, load_profile(profiles()["raspberry-pi-4"])) == []
