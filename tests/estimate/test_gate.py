"""Estimates as readings of a budget: their evidence, their band, and what is not estimated."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.cli import main
from pytest_edgebudget.devices.profile import profile_named
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.estimate import asked
from pytest_edgebudget.estimate.precision import precision_of
from pytest_edgebudget.facts import BatteryFacts, EstimatedCost
from pytest_edgebudget.graph import Graph, read
from pytest_edgebudget.metrics import battery_life

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits" / "digits.tflite"

BUDGET = """
[device]
profile = "{profile}"
run = "{run}"
[models.m]
path = "{model}"
[models.m.budget]
{limits}
"""


class Gate:
    """`edgebudget check` of one model in a project of its own."""

    def __init__(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.project, self.capsys = project, capsys

    def __call__(
        self, profile: str, limits: str, *, run: str = "static", model: Path = DIGITS
    ) -> dict[str, Any]:
        text = BUDGET.format(profile=profile, run=run, model=model.as_posix(), limits=limits)
        path = self.project / "b.toml"
        path.write_text(text)
        main(["check", str(path), "--format", "json"])
        found = json.loads(self.capsys.readouterr().out)
        return {row["metric"]: row for row in found["limits"]}

    def text(self) -> str:
        """The same once more, as a terminal shows it."""
        main(["check", str(self.project / "b.toml")])
        return self.capsys.readouterr().out


@pytest.fixture
def gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Gate:
    (tmp_path / "pyproject.toml").write_text('[tool.edgebudget]\ncache = "cache"\n')
    monkeypatch.chdir(tmp_path)
    return Gate(tmp_path, capsys)


# board, model, milliseconds, microjoules: MLPerf Tiny v1.2 results, closed/STMicroelectronics
@pytest.mark.reference
@pytest.mark.parametrize(
    ("board", "model", "ms", "uj"),
    [
        ("stm32l4r5-cubeai", "kws_dscnn/models/kws_int8.tflite", 43.2, 1821),
        ("stm32h7a3-cubeai", "ad_autoencoder/models/ad01_int8.tflite", 1.23, 166),
    ],
)
def test_readings_are_near_what_was_published_of_the_board(
    gate: Gate, reference_models: Path, board: str, model: str, ms: float, uj: float
) -> None:
    rows = gate(board, 'latency = "1 s"\nenergy = "1 J"', model=reference_models / model)

    for name, published in (("latency", ms * 1e-3), ("energy", uj * 1e-6)):
        row = rows[name]
        assert row["status"] == "kept"
        assert row["after"]["evidence"] == "estimated"
        assert published / 2 < row["after"]["value"] < published * 2
        assert row["after"]["low"] < row["after"]["value"] < row["after"]["high"]
    assert "supply of the whole chip" in rows["energy"]["after"]["note"]


def test_a_limit_inside_the_band_is_undecided_and_beyond_it_is_decided(gate: Gate) -> None:
    wide = gate("raspberry-pi-4", 'latency = "1 s"')["latency"]
    low, high = wide["after"]["low"], wide["after"]["high"]
    assert low < wide["after"]["value"] < high

    def outcome(seconds: float) -> str:
        limits = f'latency = "{seconds * 1e6:.9g} us"'
        return str(gate("raspberry-pi-4", limits)["latency"]["outcome"])

    assert outcome(high * 1.01) == "kept"
    assert outcome(high * 0.99) == "undecided"
    assert outcome(low * 1.01) == "undecided"
    assert outcome(low * 0.99) == "broken"


def test_the_report_names_rows_error_and_what_widened_the_band(gate: Gate) -> None:
    note = gate("raspberry-pi-4", 'latency = "1 s"')["latency"]["after"]["note"]

    assert note.startswith("estimated: Raspberry Pi 4B, ")
    assert ", fp32, 1 thread; " in note
    assert "models, median error " in note
    assert "smaller than any model seen: extrapolated" in note
    assert f"({note})" in " ".join(gate.text().split())  # it is wrapped to the terminal


def test_what_stands_in_for_a_board_does_not_measure_it_either(gate: Gate) -> None:
    static = gate("raspberry-pi-4", 'latency = "1 s"')["latency"]["after"]
    host = gate("raspberry-pi-4", 'latency = "1 s"', run="host")["latency"]["after"]
    assert (host["value"], host["key"]) == (static["value"], static["key"])
    assert host["key"]["estimated by"].startswith("table ")


def test_a_regression_is_told_without_the_band(gate: Gate) -> None:
    """The band of this estimate is wider than 20 % on either side, and no part of the change."""
    limit = 'latency = { max = "1 s", max_regression = "2 %" }'
    gate("raspberry-pi-4", limit)
    main(["check", str(gate.project / "b.toml"), "--update"])
    gate.capsys.readouterr()
    assert gate("raspberry-pi-4", limit)["latency"]["status"] == "kept"

    path = gate.project / "b.lock.json"
    lock = json.loads(path.read_text())
    reading = lock["models"]["m"]["readings"]["latency"]
    assert reading["high"] > 1.2 * reading["value"]
    reading["value"] *= 0.95
    path.write_text(json.dumps(lock))
    assert gate("raspberry-pi-4", limit)["latency"]["status"] == "broken"

    reading["key"]["estimated by"] = "table 0123"
    path.write_text(json.dumps(lock))
    row = gate("raspberry-pi-4", limit)["latency"]
    assert row["outcome"] == "unmeasured"
    assert "not comparable with the lock: estimated by table 0123 then" in row["reason"]


def test_models_of_one_device_add_up(gate: Gate) -> None:
    gate("stm32l4r5-tflm", 'latency = "1 s"\nenergy = "1 J"')
    path = gate.project / "b.toml"
    second = path.read_text().split("[models.m]")[1].replace("models.m", "models.n")
    joint = '[groups.all]\nmodels = ["m", "n"]\nbudget = { latency = "1 s", energy = "1 J" }\n'
    path.write_text(f"{path.read_text()}\n[models.n]{second}\n{joint}")
    main(["check", str(path), "--format", "json"])
    rows = json.loads(gate.capsys.readouterr().out)["limits"]

    for metric in ("latency", "energy"):
        one, other, both = (row["after"] for row in rows if row["metric"] == metric)
        assert both["value"] == pytest.approx(one["value"] + other["value"])
        assert both["evidence"] == "estimated"


def test_tails_are_not_estimated(gate: Gate) -> None:
    row = gate("raspberry-pi-4", 'latency_p95 = "1 s"')["latency_p95"]
    assert row["outcome"] == "unmeasured"
    assert row["after"] is None


def test_a_limit_that_accepts_measured_only_is_unmeasured(gate: Gate) -> None:
    row = gate("raspberry-pi-4", 'latency = { max = "1 s", evidence = ["measured"] }')["latency"]
    assert row["outcome"] == "unmeasured"
    assert row["reason"] == "the reading is estimated; this limit accepts measured"


@pytest.mark.parametrize(
    ("profile", "run", "reason"),
    [
        ("ethos-u85-256", "static", "no published times of ethos-u85-256 come with this package"),
        ("coral-dev-board", "static", "no published times of edge-tpu come with this package"),
    ],
)
def test_without_a_basis_there_is_no_number_and_the_reason_is_told(
    gate: Gate, profile: str, run: str, reason: str
) -> None:
    row = gate(profile, 'latency = "1 s"', run=run)["latency"]
    assert row["outcome"] == "unmeasured"
    assert reason in row["reason"]


def test_a_phones_gpu_is_estimated_from_its_own_rows_and_no_other_phones(gate: Gate) -> None:
    row = gate("pixel-3-gpu", 'latency = "1 s"')["latency"]
    assert row["outcome"] == "kept"
    assert row["note"].startswith(
        "estimated: Pixel 3, TFLite GPU delegate 2020-era (not stated), fp32; 26 models"
    )
    row = gate("android-gpu", 'latency = "1 s"')["latency"]
    assert row["outcome"] == "unmeasured"
    assert "no times of TFLite GPU delegate on android-gpu in fp32 were published" in row["reason"]


def test_a_core_that_is_known_under_another_runtime_has_an_estimate_that_says_so(
    gate: Gate,
) -> None:
    row = gate("jetson-nano", 'latency = "1 s"', run='static"\nruntime = "litert"\n#"')["latency"]
    assert row["outcome"] == "kept"
    assert "no row of TFLite XNNPACK on Cortex-A57" in json.dumps(row)


def test_energy_without_a_published_power_is_unmeasured(gate: Gate) -> None:
    row = gate("raspberry-pi-4", 'energy = "1 J"')["energy"]
    assert row["outcome"] == "unmeasured"
    assert "the power of raspberry-pi-4 was not published" in row["reason"]
    assert 'run = "ssh://user@board" measures it' in row["reason"]


# --- battery life ---------------------------------------------------------------------------

EVERY_MINUTE = 'battery_life = { min = "30 d", inferences_per_hour = 60'


def test_battery_life_is_capacity_by_average_power(gate: Gate) -> None:
    """1000 mAh at 3.7 V are 13,320 J; idle goes on meanwhile and is in the chip's power, too."""
    given = f'{EVERY_MINUTE}, battery = "1000 mAh at 3.7 V", idle_power = "1.2 mW" }}'
    rows = gate("stm32l4r5-tflm", f'{given}\nenergy = "1 J"\nlatency = "9 s"')
    joules, seconds = rows["energy"]["after"], rows["latency"]["after"]
    life = rows["battery_life"]["after"]

    for end, other in (("value", "value"), ("low", "high"), ("high", "low")):
        watts = 1.2e-3 + (joules[end] - 1.2e-3 * seconds["value"]) / 60
        assert life[other] == pytest.approx(13320 / watts, rel=1e-9)
    assert rows["battery_life"]["status"] == "kept"
    assert life["evidence"] == "estimated"
    assert life["note"].startswith("estimated: 60 an hour of ")


def test_energy_above_idle_of_a_calibrated_board_has_no_idle_power_taken_off() -> None:
    """An hour of 0.1 W idle is 360 J; 3,600 inferences of 0.1 J are as many again: 5 h of 1 Wh."""
    told = EstimatedCost(value=0.1, low=0.1, high=0.2, note="", key=(), refused="", seconds=0.1)
    options: dict[str, float | str] = {
        "inferences_per_hour": 3600.0,
        "battery": "1 Wh",
        "idle_power": "0.1 W",
    }
    own = battery_life.read(
        BatteryFacts(dataclasses.replace(told, above_idle=True), None, None), options
    )
    published = battery_life.read(BatteryFacts(told, None, None), options)
    assert (own.value, own.low) == pytest.approx((3600 / 0.2, 3600 / 0.3))
    assert published.value == pytest.approx(3600 / 0.19)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ('idle_power = "1 mW"', "battery_life needs battery; give it beside the limit, or in"),
        ('battery = "1 Wh"', "battery_life needs idle_power; give it beside the limit, or in"),
        ('battery = "1 V", idle_power = "1 mW"', 'battery: "1 V" is no capacity: write "2.5 Wh"'),
        ('battery = "1 Wh", idle_power = "1 mJ"', 'idle_power: "1 mJ" is not a power: write'),
    ],
)
def test_what_a_battery_life_lacks_is_named(gate: Gate, given: str, reason: str) -> None:
    row = gate("stm32l4r5-tflm", f"{EVERY_MINUTE}, {given} }}")["battery_life"]
    assert row["outcome"] == "unmeasured"
    assert reason in row["reason"]


def test_more_inferences_than_fit_into_an_hour_are_refused(gate: Gate) -> None:
    given = EVERY_MINUTE.replace("60", "1e6") + ', battery = "1 Wh", idle_power = "1 mW" }'
    row = gate("stm32l4r5-tflm", given)["battery_life"]
    assert "do not fit into an hour" in row["reason"]


def test_a_profile_knows_battery_and_idle_power(gate: Gate, tmp_path: Path) -> None:
    built_in = ROOT / "pytest_edgebudget/devices/profiles/stm32l4r5-tflm.toml"
    own = 'battery = "3.7 Wh"\nidle_power = "1.2 mW"\n' + built_in.read_text()
    (tmp_path / "stm32l4r5-tflm.toml").write_text(own)
    given = f'{EVERY_MINUTE}, battery = "1000 mAh at 3.7 V", idle_power = "1.2 mW" }}'
    written = gate("stm32l4r5-tflm", given)["battery_life"]["after"]

    known = gate("./stm32l4r5-tflm.toml", EVERY_MINUTE + " }")["battery_life"]["after"]

    assert known["value"] == pytest.approx(written["value"])


@pytest.mark.parametrize(
    "line",
    [
        *('battery = "0 Wh"', 'idle_power = "-1 mW"', 'battery = "big"'),
        *('clock = "0 MHz"', 'clock = "900 GHz"', "cores = 100000", "cores = 0"),
    ],
)
def test_a_profile_with_impossible_facts_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "board.toml"
    path.write_text(f'runtimes = ["tflm"]\n{line}\n')
    with pytest.raises(EdgeBudgetError) as caught:
        profile_named(str(path))
    assert "board.toml:2" in caught.value.hint


# --- precision -----------------------------------------------------------------------------


def _retyped(graph: Graph, constant: str = "", moved: str = "") -> Graph:
    """The graph with other dtypes of its weights, or of what its ops hand on."""
    tensors = tuple(
        dataclasses.replace(
            tensor,
            dtype=(constant if tensor.constant and len(tensor.shape or ()) > 1 else "")
            or ("" if tensor.constant else moved)
            or tensor.dtype,
        )
        for tensor in graph.main.tensors
    )
    main_graph = dataclasses.replace(graph.main, tensors=tensors)
    return dataclasses.replace(graph, subgraphs=(main_graph,))


def test_precision_is_that_of_most_arithmetic() -> None:
    graph = read(DIGITS)
    assert precision_of(graph) == "fp32"
    assert precision_of(_retyped(graph, constant="int8")) == "hybrid"
    assert precision_of(_retyped(graph, "int8", "int8")) == "int8"
    assert precision_of(_retyped(graph, "int8", "int16")) == "int16"


@pytest.mark.reference
@pytest.mark.parametrize(
    ("model", "precision"),
    [
        ("kws_dscnn/models/kws_int8.tflite", "int8"),
        ("kws_dscnn/models/kws_float32.tflite", "fp32"),
        ("kws_dscnn/models/kws_dynrange.tflite", "hybrid"),
        ("kws_dscnn/models/kws_qdq_int8.onnx", "int8"),
        ("kws_dscnn/models/kws_alibaba_float.onnx", "fp32"),
        ("ic_resnet8/models/resnet8_int8.tflite", "int8"),
    ],
)
def test_precision_of_files_that_say_it_in_their_names(
    reference_models: Path, model: str, precision: str
) -> None:
    assert precision_of(read(reference_models / model)) == precision


def test_weights_of_8_bits_under_floats_are_between_and_integers_of_16_bits_are_not_told() -> None:
    graph, profile = read(DIGITS), profile_named("raspberry-pi-4")

    def of(model: Graph, precision: str = "") -> asked.Estimate:
        return asked.estimated(model, profile, runtime="litert", precision=precision)

    fast, slow = of(graph, "int8").latency, of(graph, "fp32").latency
    found = of(_retyped(graph, constant="int8")).latency
    assert fast.value < found.value < slow.value
    assert (found.low, found.high) == (min(fast.low, slow.low), max(fast.high, slow.high))
    with pytest.raises(asked.NoEstimate, match="no times of models in int16 were published"):
        of(_retyped(graph, "int8", "int16"))
