"""An FPGA as a device: the contract, what it refuses, what it keeps, what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget import testing
from pytest_edgebudget.devices import profile_named
from pytest_edgebudget.devices.base import Device, Samples
from pytest_edgebudget.devices.fpga import library
from pytest_edgebudget.devices.fpga.note import read_note, write_with_note
from pytest_edgebudget.devices.fpga.way import WAY
from pytest_edgebudget.errors import BuildError, DeviceError, ModelError
from pytest_edgebudget.facts import MemoryFacts, Timings
from pytest_edgebudget.graph.keras import read_keras
from pytest_edgebudget.passes.fixed_point import PASS
from pytest_edgebudget.types import DeviceChoice, Evidence, Step

from .conftest import Fix


@pytest.mark.slow
class TestContract(testing.DeviceContract):
    @pytest.fixture
    def device(self, cache: Path) -> Device:
        return WAY.open(DeviceChoice(profile=profile_named("ulx3s-85f"), run="hls4ml"))

    @pytest.fixture(autouse=True)
    def _files(self, folder: Path, fix: Fix, tmp_path: Path) -> None:
        self.model = fix(folder / "chain.keras", 9, 4)
        self.data = tmp_path / "data.npz"
        np.savez(self.data, x_test=np.random.default_rng(1).normal(0, 1, (7, 12)))


@pytest.mark.slow
def test_inputs_and_outputs_have_keras_names_and_order(
    folder: Path, fix: Fix, device: Device, tmp_path: Path
) -> None:
    data, out = tmp_path / "data.npz", tmp_path / "out.npz"
    random = np.random.default_rng(2)
    left, right = random.normal(0, 1, (5, 3)), random.normal(0, 1, (5, 2))
    np.savez(data, **{"x_test/left": left, "x_test/right": right})
    found = {}
    for name, model in {
        "float": folder / "two.keras",
        "fixed": fix(folder / "two.keras", 24, 8),
    }.items():
        with device.worker("keras") as worker:
            loaded = worker.load(model)
            worker.run(Samples(path=data, split="test"), "reset", out)
        assert [port.name for port in loaded.inputs] == ["left", "right"]
        assert loaded.outputs == ("up", "down")
        assert loaded.evidence == {"float": Evidence.HOST, "fixed": None}[name]
        with np.load(out) as arrays:
            found[name] = [arrays["0"], arrays["1"]]
    for mine, theirs in zip(found["fixed"], found["float"], strict=True):
        assert mine.shape == theirs.shape
        # 16 bits behind the point, and a product of each of five inputs.
        assert np.abs(mine - theirs).max() < 16 * 2.0**-16


def test_time_and_memory_are_the_synthesis_tools_to_tell() -> None:
    device = WAY.open(DeviceChoice(profile=profile_named("pynq-z2"), run="hls4ml"))
    for kind in (Timings, MemoryFacts):
        assert device.refusal(kind) == (
            "pynq-z2: the simulation tells what the FPGA answers, not how fast or at which cost"
        )


def test_a_profile_of_something_else_is_refused() -> None:
    said = WAY.refusal(profile_named("raspberry-pi-4"))
    assert said == (
        "models of raspberry-pi-4 run in litert and onnxruntime and tflite-runtime, not by hls4ml"
    )
    assert WAY.refusal(profile_named("ulx3s-85f")) == ""


def test_what_is_missing_is_told_with_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    choice = DeviceChoice(profile=profile_named("pynq-z2"), run="hls4ml")
    lacks = {lack.what: lack.command for lack in WAY.lacks(choice)}
    assert lacks["g++ is not installed"] == "apt install g++"


@pytest.mark.slow
def test_the_pass_keeps_the_model_and_says_what_it_made(folder: Path, fix: Fix) -> None:
    source, out = folder / "picture.keras", fix(folder / "picture.keras", 12, 5)
    before, after = read_keras(source), read_keras(out)
    note = read_note(out)
    assert note is not None
    assert note["io_type"] == "io_stream"
    assert note["hls_config"]["LayerName"]["edges"]["Precision"]["weight"] == "ap_fixed<12,5>"
    assert PASS.check(before, after, Step("fixed_point", (12, 5))) == ""
    assert PASS.check(before, before, Step("fixed_point", (12, 5))) == "the file holds no precision"
    assert PASS.check(before, after, Step("fixed_point", (12, 4))) == (
        "the weight of edges is ap_fixed<12,5>, not ap_fixed<12,4>"
    )
    with zipfile.ZipFile(source) as one, zipfile.ZipFile(out) as two:
        assert {*one.namelist(), "hls4ml.json"} == set(two.namelist())
        assert all(one.read(name) == two.read(name) for name in one.namelist())


def test_the_same_note_makes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    source = folder / "chain.keras"
    write_with_note(source, {"backend": "Vitis"}, tmp_path / "one.keras")
    later = tmp_path / "later.keras"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(later, "w") as new:
        for name in reversed(old.namelist()):
            new.writestr(zipfile.ZipInfo(name, (2031, 5, 6, 7, 8, 10)), old.read(name))
    write_with_note(later, {"backend": "Vitis"}, tmp_path / "two.keras")
    assert (tmp_path / "one.keras").read_bytes() == (tmp_path / "two.keras").read_bytes()


def test_a_layer_that_hls4ml_does_not_know_is_named(folder: Path, fix: Fix) -> None:
    with pytest.raises(BuildError, match=r"hls4ml cannot convert the model: .*Conv3D"):
        fix(folder / "cube.keras", 16, 6)


def test_more_integer_bits_than_bits_are_refused(folder: Path, fix: Fix) -> None:
    with pytest.raises(BuildError, match=r"fixed_point\(6, 16\): more integer bits than bits"):
        fix(folder / "chain.keras", 6, 16)


def test_what_is_no_keras_model_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ModelError, match="not a Keras model"):
        read_keras(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hls4ml.json", "{}")
    with pytest.raises(ModelError, match=r"a zip archive without config\.json"):
        read_keras(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("hls4ml.json", "[1")
    with pytest.raises(ModelError, match=r"model\.keras: hls4ml\.json is not JSON"):
        read_note(path)


@pytest.mark.slow
def test_a_compiled_model_is_kept_and_compiled_no_second_time(
    folder: Path, fix: Fix, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fix(folder / "chain.keras", 9, 4)
    first = library.compiled(model)
    monkeypatch.setattr(library, "run", lambda *args, **options: pytest.fail("it is compiled"))
    assert library.compiled(model) == first
    assert cache in first.parents


@pytest.mark.slow
def test_a_compiler_that_takes_too_long_is_infrastructure(
    folder: Path, fix: Fix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(library, "TIMEOUT", 0.5)
    before = testing.descendants()
    with pytest.raises(DeviceError, match=r"stopped after 0\.5 s while compiling chain_9_4\.keras"):
        library.compiled(fix(folder / "chain.keras", 9, 4))
    assert gone(testing.descendants() - before)


PARENT = """
    import sys
    from pathlib import Path
    from pytest_edgebudget.devices.fpga.library import compiled
    compiled(Path(sys.argv[1]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are found in /proc")
def test_a_compiler_does_not_outlive_a_run_that_was_killed(
    folder: Path, fix: Fix, tmp_path: Path
) -> None:
    model = fix(folder / "chain.keras", 9, 4)
    before = testing.descendants()
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), str(model)],
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
    ) as parent:
        compilers = wait_for("cc1plus", before)
        family = testing.descendants() - before
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(20)
    assert compilers
    assert gone(family)


def wait_for(name: str, before: frozenset[int]) -> list[int]:
    """Processes of that name that were started by this one."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found = [pid for pid in testing.descendants() - before if called(pid) == name]
        if found:
            return found
        time.sleep(0.02)
    return []


def called(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def gone(pids: frozenset[int]) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
