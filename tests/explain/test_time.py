"""`explain MODEL --profile P`: estimated times by layer, and what other ways would take."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.cli import main
from pytest_edgebudget.devices.profile import profile_named
from pytest_edgebudget.explain.account import account
from pytest_edgebudget.explain.text import as_text

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits" / "digits.tflite"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 0
    return capsys.readouterr().out


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(said(capsys, *arguments, "--format", "json"))["time"]


def test_layers_and_their_bounds_add_up_to_the_total(capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, str(DIGITS), "--profile", "raspberry-pi-4")["estimate"]
    latency = found["latency_s"]

    assert latency["low"] < latency["value"] < latency["high"]
    assert 0 < sum(op["seconds"] for op in found["ops"]) <= latency["value"]
    assert {op["bound"] for op in found["ops"]} <= {"compute", "bandwidth", "overhead"}
    assert found["energy_j"] is None
    assert found["basis"].startswith("Raspberry Pi 4B")


def test_recipes_and_threads_are_estimated_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, str(DIGITS), "--profile", "raspberry-pi-4")
    now = found["estimate"]["latency_s"]["value"]
    then = {each["name"]: each["latency_s"]["value"] for each in found["what_if"]}

    assert list(then) == ["int8", "float16", "dynamic_int8", "2 threads", "4 threads"]
    assert then["int8"] < then["dynamic_int8"] < now
    assert then["float16"] == now  # stored in half, computed in float32


def test_a_controller_has_no_threads_no_float16_and_a_power(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = as_json(capsys, str(DIGITS), "--profile", "stm32l4r5-tflm")
    assert [each["name"] for each in found["what_if"]] == ["int8"]
    assert found["estimate"]["energy_j"]["value"] > found["what_if"][0]["energy_j"]["value"] > 0


@pytest.mark.reference
def test_integers_become_no_more_integer(
    capsys: pytest.CaptureFixture[str], reference_models: Path
) -> None:
    model = reference_models / "kws_dscnn/models/kws_int8.tflite"
    found = as_json(capsys, str(model), "--profile", "raspberry-pi-5")
    assert [each["name"] for each in found["what_if"]] == ["2 threads", "4 threads"]


def test_without_a_basis_the_reason_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, str(DIGITS), "--profile", "ethos-u55-128")
    assert "Time on ethos-u55-128, not estimated: no published times of ethos-u55-128" in text
    found = as_json(capsys, str(DIGITS), "--profile", "ethos-u55-128")
    assert (found["estimate"], found["what_if"]) == (None, [])
    assert as_json(capsys, str(DIGITS)) is None
    assert "Time on" not in said(capsys, str(DIGITS))


@pytest.mark.reference
def test_of_a_runtime_whose_plan_is_not_known_the_time_is(
    capsys: pytest.CaptureFixture[str], reference_models: Path
) -> None:
    """X-CUBE-AI, of which MLPerf Tiny published 43.2 ms and 1821 uJ of this model."""
    arguments = (str(reference_models / "kws_dscnn/models/kws_int8.tflite"), "--profile")
    text = said(capsys, *arguments, "stm32l4r5-cubeai")
    assert "how x-cube-ai plans memory is not known\n\nTime on stm32l4r5-cubeai, estim" in text

    found = as_json(capsys, *arguments, "stm32l4r5-cubeai")["estimate"]
    assert 43.2e-3 / 1.5 < found["latency_s"]["value"] < 43.2e-3 * 1.5
    assert 1821e-6 / 2 < found["energy_j"]["value"] < 1821e-6 * 2


@pytest.mark.parametrize("width", [40, 60, 100])
@pytest.mark.parametrize("profile", ["raspberry-pi-4", "stm32h743-tflm", "ethos-u55-128"])
def test_no_line_is_wider_than_the_terminal(width: int, profile: str) -> None:
    lines = as_text(account(DIGITS, profile_named(profile)), width).splitlines()[1:]
    assert any(line.startswith("Time on") for line in lines)
    assert max(map(len, lines)) <= width


def test_the_text_has_the_total_the_layers_and_what_if(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, str(DIGITS), "--profile", "raspberry-pi-4")
    assert re.search(
        r"^Time on raspberry-pi-4, estimated: \S+ .s \(.* - .*\), 1 thread of litert$", text, re.M
    )
    assert re.search(
        r"^  CONV_2D +strokes_relu_1/Relu +[\d.]+ us +\d+ %  (compute|overhead)", text, re.M
    )
    assert re.search(r"^    int8: [\d.]+ us -> [\d.]+ us \(", text, re.M)


def test_times_add_milliseconds_only() -> None:
    from pytest_edgebudget.explain.time import times
    from pytest_edgebudget.graph import read

    graph, profile = read(DIGITS), profile_named("raspberry-pi-4")
    times(graph, profile, "litert")  # reads the table
    took = []
    for _ in range(7):
        start = time.perf_counter()
        times(graph, profile, "litert")
        took.append(time.perf_counter() - start)
    # Six ways, seven estimates: each takes less than 5 ms.
    assert min(took) < 7 * 5e-3
