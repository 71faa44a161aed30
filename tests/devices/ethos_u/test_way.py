"""What the way `vela` tells: placement with Vela's reasons, memory in its parts, the contract."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.data import load_data
from pytest_edgebudget.devices import Device, open_device, profile_named, profiles
from pytest_edgebudget.devices.ethos_u.compiler import Compiler
from pytest_edgebudget.devices.ethos_u.memory import arena, device_memory
from pytest_edgebudget.devices.ethos_u.placement import vela_placement
from pytest_edgebudget.devices.ethos_u.settings import Settings
from pytest_edgebudget.devices.ethos_u.way import WAY
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.facts import OffOp, StartupFacts, Timings
from pytest_edgebudget.metrics import BUILT_IN, cpu_fallback, npu_sram, npu_time, ram
from pytest_edgebudget.store import Store
from pytest_edgebudget.testing import DeviceContract
from pytest_edgebudget.types import DeviceChoice, Evidence, Unit
from pytest_edgebudget.units import format_value
from tests.devices.ethos_u.conftest import EXAMPLES, Told, settings
from tests.devices.ethos_u.models import MACS, Chain
from tests.measure.help import artifact, read, wanted

U55 = profile_named("ethos-u55-128")


@pytest.fixture
def device() -> Iterator[Device]:
    found = open_device(DeviceChoice(profile=U55, run="vela"))
    yield found
    found.close()


def mixed(path: Path) -> Path:
    """Two convolutions for the NPU, and between them what it has not."""
    return Chain().conv("a").unary("FLOOR", "down").conv("b").write(path)


# --- placement ------------------------------------------------------------------


def test_operators_on_the_cpu_have_velas_reasons(tmp_path: Path, compiler: Compiler) -> None:
    path = mixed(tmp_path / "m.tflite")
    found = vela_placement(graph.read(path), compiler.compile(path, settings("ethos-u55-128")))
    assert found.off == (OffOp("down", "FLOOR", 0, "unsupported opType"),)
    assert (found.total.ops, found.total.macs) == (3, 2 * MACS)
    assert (found.partitions, found.evidence) == (2, Evidence.EXACT)
    assert re.fullmatch(r"vela \d+\.\d+\.\d+", found.tool)


def test_a_float_model_falls_back_whole_though_vela_ends_well(
    compiler: Compiler, by_command: Callable[[Path, Settings], Told]
) -> None:
    path = EXAMPLES / "digits" / "digits.tflite"
    told = by_command(path, settings("ethos-u55-128"))  # which raises for a status but 0
    assert "NPU operators = 0 (0.0%)" in told.said
    found = vela_placement(graph.read(path), compiler.compile(path, settings("ethos-u55-128")))
    assert len(found.off) == found.total.ops == len(graph.read(path).ops)
    assert found.partitions == 0
    assert "unsupported DataType Float32" in found.off[0].reason
    assert all(op.reason for op in found.off)


@pytest.mark.parametrize("npu", ["ethos-u55-128", "ethos-u65-256", "ethos-u85-512"])
def test_as_many_operators_stay_on_the_cpu_as_vela_counts(
    tmp_path: Path, compiler: Compiler, by_command: Callable[[Path, Settings], Told], npu: str
) -> None:
    model = Chain().unary("FLOOR", "x").conv("a").unary("ELU", "e").unary("ABS", "y").conv("b")
    path = model.write(tmp_path / "m.tflite")
    told = by_command(path, settings(npu))
    count = re.search(r"CPU operators = (\d+)", told.said)
    assert count is not None
    names = re.findall(r"CPU: Passthrough = (\S+)", told.said)
    found = vela_placement(graph.read(path), compiler.compile(path, settings(npu)))
    assert len(found.off) == int(count[1]) > 0
    assert sorted(op.name for op in found.off) == sorted(names)


def test_the_reading_is_exact_and_its_layers_are_what_fell_off(
    tmp_path: Path, device: Device
) -> None:
    path = mixed(tmp_path / "m.tflite")
    store = Store(tmp_path / "store", 1 << 20)
    reading = read(artifact(path), wanted(cpu_fallback.METRIC, of="ops"), device, store).readings[
        "cpu_fallback"
    ]
    assert (reading.value, reading.evidence, reading.noisy) == (1 / 3, Evidence.EXACT, False)
    assert [layer.kind for layer in reading.layers] == ["FLOOR: unsupported opType"]
    assert dict(reading.key)["tool"].startswith("vela ")


# --- what the NPU takes ---------------------------------------------------------


def test_numbers_of_the_npu_say_that_they_are_of_the_npu(tmp_path: Path, device: Device) -> None:
    path = mixed(tmp_path / "m.tflite")
    store = Store(tmp_path / "store", 1 << 20)
    asked = wanted(npu_time.METRIC, npu_sram.METRIC)
    found = read(artifact(path), asked, device, store).readings
    time = found["npu_time"]
    assert time.note.startswith(
        "NPU only: CPU operators and driver are not in it (1 operator on the CPU); at 500 MHz; vela"
    )
    assert time.evidence is Evidence.ESTIMATED
    assert dict(time.key)["vela_system"] == "Ethos_U55_High_End_Embedded"
    assert sum(layer.value for layer in time.layers) == pytest.approx(time.value, rel=0.1)
    assert found["npu_sram"].shared == found["npu_sram"].value


def test_a_model_that_runs_nowhere_on_the_npu_keeps_no_limit_of_it(
    tmp_path: Path, device: Device
) -> None:
    path = EXAMPLES / "digits" / "digits.tflite"
    asked = wanted(*(m for m in BUILT_IN if m.name.startswith("npu_")))
    found = read(artifact(path), asked, device, Store(tmp_path / "store", 1 << 20))
    assert set(found.missing) == {"npu_cycles", "npu_time", "npu_sram", "npu_flash"}
    for missing in found.missing.values():
        assert missing.reason.startswith("nothing of the model runs on the NPU; cpu_fallback tells")


def test_readings_are_kept_and_vela_is_not_asked_again(
    digits_int8: Path, tmp_path: Path, device: Device
) -> None:
    store = Store(tmp_path / "store", 1 << 20)
    asked = wanted(npu_time.METRIC, ram.METRIC, cpu_fallback.METRIC)
    first = read(artifact(digits_int8), asked, device, store)
    other = WAY.open(DeviceChoice(profile=U55, run="vela"))
    assert read(artifact(digits_int8), asked, other, store) == first
    assert other.compiler.pid is None  # type: ignore[attr-defined]


# --- memory ---------------------------------------------------------------------


@pytest.mark.reference
@pytest.mark.parametrize("npu", ["ethos-u55-128", "ethos-u65-256", "ethos-u85-256"])
@pytest.mark.parametrize(
    "model", ["kws_dscnn/models/kws_int8", "ic_resnet8/models/resnet8_int8", "ad_autoencoder/models/ad01_int8"]
)  # fmt: skip
def test_our_plan_of_what_vela_wrote_is_velas_own(
    reference_models: Path, compiler: Compiler, npu: str, model: str
) -> None:
    """Two planners that know nothing of each other: Vela's offsets, and the micro runtime's rules."""
    found = compiler.compile(reference_models / f"{model}.tflite", settings(npu))
    memory = device_memory(found, profile_named(npu))
    planned = arena(found, profile_named(npu)).plan.size
    assert found.sram <= planned <= found.sram + 128  # addresses of what the operator takes
    assert found.sram < memory.low <= memory.value <= memory.high < found.sram + 2048
    assert memory.note.startswith(f"{format_value(found.sram, Unit.BYTES)} of SRAM by Vela + ")


def test_operators_on_the_cpu_take_memory_beside_velas(tmp_path: Path, compiler: Compiler) -> None:
    alone = Chain().conv("a").conv("b").write(tmp_path / "a.tflite")
    both = mixed(tmp_path / "b.tflite")
    first, second = (compiler.compile(path, settings("ethos-u55-128")) for path in (alone, both))
    runtime = [device_memory(found, U55).value - found.sram for found in (first, second)]
    assert runtime[1] > runtime[0] + 64  # at least one more operator
    assert "of the micro runtime, estimated" in device_memory(second, U55).note


def test_dram_is_memory_too(digits_int8: Path, compiler: Compiler) -> None:
    chosen = replace(
        settings("ethos-u85-256"),
        system="Ethos_U85_SYS_DRAM_Mid",
        memory="Dedicated_Sram_384KB",
    )
    found = compiler.compile(digits_int8, chosen)
    assert found.used["dram"] >= found.constant_bytes > 0
    memory = device_memory(found, profile_named("ethos-u85-256"))
    assert found.sram + found.used["dram"] < memory.low <= memory.value
    assert memory.value < found.sram + found.used["dram"] + 2048
    assert "of DRAM by Vela, constants included" in memory.note


def test_a_float_model_takes_the_micro_runtimes_memory_alone(compiler: Compiler) -> None:
    path = EXAMPLES / "digits" / "digits.tflite"
    found = compiler.compile(path, settings("ethos-u55-128"))
    memory = device_memory(found, U55)
    assert found.sram == 0
    from pytest_edgebudget.devices.kernels import kernels_of
    from pytest_edgebudget.graph.memory import plan

    planned = plan(graph.read(path), "tflm", kernels_of(U55))
    assert memory.value >= planned.size > 0


# --- the device -----------------------------------------------------------------


class TestContract(DeviceContract):
    data = EXAMPLES / "digits" / "data.npz"

    @pytest.fixture(autouse=True)
    def integer(self, digits_int8: Path) -> None:
        pytest.importorskip("tflite_micro", reason="pip install 'pytest-edgebudget[mcu]'")
        self.model = digits_int8

    @pytest.fixture
    def device(self) -> Device:
        return open_device(DeviceChoice(profile=U55, run="vela"))


def test_times_need_the_chip(device: Device) -> None:
    assert device.refusal(Timings).startswith("latency needs the chip: npu_time has")
    assert device.refusal(StartupFacts) == "a cold start needs the chip"


def test_every_ethos_u_runs_this_way_and_nothing_else_does() -> None:
    for name in profiles():
        profile = profile_named(name)
        refused = WAY.refusal(profile)
        assert (refused == "") == name.startswith("ethos-u"), name
        assert (profile.default_run == "vela") == name.startswith("ethos-u"), name
    assert WAY.refusal(profile_named("host")) == "host has no Ethos-U"
    with pytest.raises(EdgeBudgetError, match="stm32l4r5-tflm has no Ethos-U"):
        WAY.open(DeviceChoice(profile=profile_named("stm32l4r5-tflm"), run="vela"))


def test_a_profile_without_velas_sections_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("runtimes = ['tflm']\naccelerator = 'ethos-u55-64'\n")
    assert WAY.refusal(profile_named(str(path))) == (
        "the profile mine has no vela_system and no vela_memory"
    )


def test_what_is_missing_here_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_edgebudget.devices.ethos_u import way

    choice = DeviceChoice(profile=U55, run="vela")
    assert WAY.lacks(choice) == []
    monkeypatch.setattr(way, "installed", lambda distribution, python: "")
    assert [(lack.what, lack.command) for lack in WAY.lacks(choice)] == [
        ("ethos-u-vela", "pip install 'pytest-edgebudget[ethos-u]'"),
        ("tflite-micro", "pip install 'pytest-edgebudget[mcu]'"),
    ]


def test_a_reading_of_another_version_of_vela_is_not_compared(
    digits_int8: Path, tmp_path: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_edgebudget.devices.ethos_u import way

    store = Store(tmp_path / "store", 1 << 20)
    data = load_data(EXAMPLES / "digits" / "data.npz", root=EXAMPLES, store=store)
    asked = wanted(ram.METRIC)
    one = read(artifact(digits_int8), asked, device, store, data=data).readings["ram"]
    monkeypatch.setattr(way, "_version", lambda: "9.9.9")
    two = read(artifact(digits_int8), asked, device, store, data=data).readings["ram"]
    assert dict(one.key).items() - dict(two.key).items() == {("vela", dict(one.key)["vela"])}


def test_a_second_tool_sees_the_same_cycles(
    digits_int8: Path, compiler: Compiler, tmp_path: Path
) -> None:
    """mlia: Arm's own adviser, which has Vela as one of its backends."""
    mlia = shutil.which("mlia", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if mlia is None:
        pytest.skip("mlia is not on PATH: pip install mlia-ethos-u, in an environment of its own")
    command = [mlia, "check", str(digits_int8), "--target-profile", "ethos-u55-128"]
    ran = subprocess.run(
        [*command, "--performance", "--json", "--noninteractive"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    found = compiler.compile(digits_int8, settings("ethos-u55-128"))
    assert found.cycles in set(_numbers(json.loads(ran.stdout)))


def _numbers(value: object) -> Iterator[float]:
    """All numbers of a report, wherever they are."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _numbers(each)
    elif isinstance(value, int | float):
        yield value
