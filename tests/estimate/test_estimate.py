"""
Estimates of real models on real boards, beside what was published of them.

Published times: MLPerf Tiny v1.2, closed, STMicroelectronics (X-CUBE-AI 9.0) and
NobuoTsukamoto/benchmarks; the models are built here, so nothing else is needed.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_edgebudget.devices.profile import profile_named
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.estimate import Estimate, estimate
from pytest_edgebudget.estimate.boards import DEVICES
from pytest_edgebudget.estimate.table import PATH, shipped
from pytest_edgebudget.graph import Graph, read

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits" / "digits.tflite"


def of(
    graph: Graph, name: str, precision: str = "int8", runtime: str = "", threads: int = 1
) -> Estimate:
    profile = profile_named(name)
    found = estimate(
        graph,
        profile,
        runtime=runtime or profile.runtimes[0],
        threads=threads,
        precision=precision,
    )
    assert found is not None
    return found


# board, model, milliseconds, microjoules: MLPerf Tiny v1.2 results, closed/STMicroelectronics
MLPERF = [
    ("stm32l4r5-cubeai", "kws_dscnn/models/kws_int8.tflite", 43.2, 1821),
    ("stm32l4r5-cubeai", "ic_resnet8/models/resnet8_int8.tflite", 165.0, 6919),
    ("stm32u575-cubeai", "kws_dscnn/models/kws_int8.tflite", 29.1, 656),
    ("stm32u575-cubeai", "ad_autoencoder/models/ad01_int8.tflite", 3.43, 81.9),
    ("stm32h7a3-cubeai", "ic_resnet8/models/resnet8_int8.tflite", 40.8, 5090),
    ("stm32h7a3-cubeai", "ad_autoencoder/models/ad01_int8.tflite", 1.23, 166),
]


@pytest.mark.reference
def test_most_of_what_mlperf_tiny_measured_lies_within_bands_of_80_percent(
    reference_models: Path,
) -> None:
    inside = []
    for board, model, ms, uj in MLPERF:
        found = of(read(reference_models / model), board)
        assert found.energy is not None
        for each, measured in ((found.latency, ms * 1e-3), (found.energy, uj * 1e-6)):
            inside.append(each.low < measured < each.high)
            assert measured / 1.5 < each.value < measured * 1.5
    assert len(inside) == 12
    assert sum(inside) >= 10


def test_ops_add_up_and_say_what_bounds_them() -> None:
    found = of(read(DIGITS), "raspberry-pi-4", "fp32")
    ops = sum(op.seconds for op in found.ops)
    assert 0 < ops <= found.latency.value  # the rest starts the inference
    assert {op.bound for op in found.ops} <= {"compute", "bandwidth", "overhead"}
    assert [op.kind for op in found.ops] == [op.kind for op in read(DIGITS).ops]


def test_a_faster_board_is_faster_and_more_threads_do_not_slow() -> None:
    big = _scaled(read(DIGITS))
    pi4, pi5 = of(big, "raspberry-pi-4", "fp32"), of(big, "raspberry-pi-5", "fp32")
    assert pi5.latency.value < pi4.latency.value
    assert of(big, "raspberry-pi-4", "fp32", threads=4).latency.value < pi4.latency.value


def _scaled(graph: Graph) -> Graph:
    """The graph with its ops two hundred times: big enough that arithmetic counts."""
    main = dataclasses.replace(graph.main, ops=graph.main.ops * 200)
    return dataclasses.replace(graph, subgraphs=(main,))


def test_what_was_not_published_widens_and_says_so() -> None:
    graph = read(DIGITS)
    known = of(graph, "raspberry-pi-4", "fp32", threads=1)
    other = of(graph, "raspberry-pi-4", "fp32", threads=3)
    assert any("no row with 3 threads" in note for note in other.notes)
    assert not any("threads" in note for note in known.notes)
    assert _ratio(other) > _ratio(known) * 1.2
    core = of(graph, "nrf52840-tflm")
    assert any("no row of this device" in note for note in core.notes)
    assert core.energy is None


def test_beyond_all_models_seen_widens_and_says_so() -> None:
    graph, profile = read(DIGITS), profile_named("stm32l4r5-tflm")
    table = shipped()
    bands = {
        name: dataclasses.replace(band, smallest=1, largest=100)
        for name, band in table.bands.items()
    }
    small = dataclasses.replace(table, bands=bands)
    found = estimate(graph, profile, runtime="tflm", precision="int8", table=small)
    assert found is not None
    assert any("larger than any model seen: extrapolated" in note for note in found.notes)
    assert _ratio(found) > _ratio(of(graph, "stm32l4r5-tflm")) * 1.05


def test_an_op_never_seen_widens_and_is_named() -> None:
    graph = read(DIGITS)
    odd = dataclasses.replace(graph.main.ops[0], kind="Whatever", custom=True)
    main = dataclasses.replace(graph.main, ops=(odd, *graph.main.ops[1:]))
    found = of(dataclasses.replace(graph, subgraphs=(main,)), "raspberry-pi-4", "fp32")
    assert any("Whatever" in note for note in found.notes)
    assert _ratio(found) > _ratio(of(graph, "raspberry-pi-4", "fp32")) * 1.5


def _ratio(found: Estimate) -> float:
    return found.latency.high / found.latency.low


@pytest.mark.parametrize("name", ["host", "ethos-u55-128", "pynq-z2"])
def test_nothing_published_is_no_estimate(name: str) -> None:
    profile = profile_named(name)
    runtime = profile.runtimes[0]
    assert estimate(read(DIGITS), profile, runtime=runtime, precision="fp32") is None


@pytest.mark.parametrize("name", sorted(DEVICES))
def test_every_board_in_the_table_has_an_estimate_in_what_it_runs_best(name: str) -> None:
    profile = profile_named(name)
    runtimes = [*profile.runtimes, "ncnn"]
    precision = "fp32" if profile.accelerator else "int8"  # a GPU's rows are of floats
    found = [estimate(read(DIGITS), profile, runtime=r, precision=precision) for r in runtimes]
    assert any(each is not None for each in found)


def test_an_estimate_takes_less_than_five_milliseconds() -> None:
    graph = read(DIGITS)
    shipped()
    times = []
    for _ in range(9):
        start = time.perf_counter()
        of(graph, "raspberry-pi-4", "fp32")
        times.append(time.perf_counter() - start)
    read_profile = time.perf_counter()
    profile_named("raspberry-pi-4")
    assert statistics.median(times) - (time.perf_counter() - read_profile) < 5e-3


def test_estimating_loads_no_numpy() -> None:
    code = (
        "import sys; from pytest_edgebudget.estimate import estimate;"
        "from pytest_edgebudget.estimate.table import shipped; shipped();"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


@pytest.mark.parametrize("text", ["", "{}", '{"domains": 3}', '{"domains": {"cpu": {}}}'])
def test_a_damaged_table_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table.json"
    path.write_text(text)
    with pytest.raises(EdgeBudgetError, match="table of estimates is damaged"):
        shipped(path)


def test_the_table_is_json_that_others_can_read() -> None:
    assert set(json.loads(PATH.read_text())) == {"domains", "features", "powers"}
