"""Devices on which nothing runs: what the file tells is judged, the rest says why it is not."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices import CannotTell, load_profile, open_device, profiles
from pytest_edgebudget.errors import EdgeBudgetError, ModelError
from pytest_edgebudget.facts import FileFacts, MemoryFacts, PlanFacts, Predictions, Timings
from pytest_edgebudget.types import DeviceChoice

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


def choice(name: str, run: str = "static", runtime: str | None = None) -> DeviceChoice:
    return DeviceChoice(profile=load_profile(profiles()[name]), run=run, runtime=runtime)


def test_facts_of_a_run_are_refused_with_the_reason() -> None:
    device = open_device(choice("android-gpu"))
    assert [device.refusal(kind) for kind in (FileFacts, graph.Graph, PlanFacts)] == [""] * 3
    for kind in (Predictions, Timings, MemoryFacts):
        assert device.refusal(kind) == "there is no way yet to run models on android-gpu"
    with pytest.raises(CannotTell), device.worker("tflite"):
        raise AssertionError
    assert device.formats == ("tflite",)
    with pytest.raises(ModelError, match=r"litert cannot run \.onnx models"):
        device.runtime_for("onnx")


def test_a_device_that_could_run_models_may_be_static_by_choice() -> None:
    device = open_device(choice("raspberry-pi-4"))
    assert device.refusal(Timings) == 'run = "static": no model runs on raspberry-pi-4'
    assert device.runtime_for("tflite") == "litert"
    chosen = open_device(choice("raspberry-pi-4", runtime="tflite-runtime"))
    assert chosen.runtime_for("tflite") == "tflite-runtime"
    with pytest.raises(EdgeBudgetError, match="there is no runtime 'tflight'"):
        open_device(choice("raspberry-pi-4", runtime="tflight"))


BUDGET = """
[device]
profile = "stm32l4r5-tflm"
run = "static"
[models.digits]
path = "digits.tflite"
data = "data.npz"
optimize = ["none", "int8"]
[models.digits.budget]
size = "30 KiB"
macs = "1 M"
"""


def test_static_limits_are_searched_for_and_judged(pytester: pytest.Pytester) -> None:
    # Only looked for: pytester forgets at its end what a test imports, and ml_dtypes loads once.
    if importlib.util.find_spec("litert_quantizer") is None:
        pytest.skip("litert-quantizer is not installed")
    for name in ("digits.tflite", "data.npz"):
        shutil.copy(DIGITS / name, pytester.path / name)
    budget = pytester.path / "mcu.toml"
    budget.write_text(BUDGET)
    result = pytester.runpytest("-p", "no:randomly", "--edge-budget", "mcu.toml")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*mcu.toml: stm32l4r5-tflm, run static*", "*digits: int8*"])

    budget.write_text(
        BUDGET + 'accuracy = 0.9\nlatency = { max = "9 ms", when_missing = "skip" }\n'
    )
    result = pytester.runpytest("-p", "no:randomly", "--edge-budget", "mcu.toml")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ['*accuracy is unmeasured: run = "static": no model runs on stm32l4r5-tflm*']
    )


def test_a_run_that_the_runtime_cannot_have_is_a_mistake_of_the_budget_file(
    pytester: pytest.Pytester,
) -> None:
    shutil.copy(DIGITS / "digits.tflite", pytester.path / "digits.tflite")
    text = BUDGET.replace('run = "static"', 'run = "host"')
    text = text.replace('data = "data.npz"\n', "").replace('optimize = ["none", "int8"]\n', "")
    (pytester.path / "mcu.toml").write_text(text)
    result = pytester.runpytest("-p", "no:randomly", "--edge-budget", "mcu.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            '*mcu.toml:4: device.run: run = "host": tflm runs without an operating system (write run = *'
        ]
    )
