"""
Phones: what is sent to adb, and what is made of its answers.

With a stand-in for adb (see `stand_in`), but for the last test, which is with
Android's own client and no phone.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_edgebudget.devices import Device, open_device, profile_named
from pytest_edgebudget.devices.adb.benchmark import BenchmarkDevice
from pytest_edgebudget.devices.adb.phone import Phone
from pytest_edgebudget.devices.adb.transport import VARIABLE, Adb, parse
from pytest_edgebudget.devices.adb.way import WAY
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.remote.device import RemoteDevice
from pytest_edgebudget.errors import DeviceError, EdgeBudgetError, Interrupted, Silent
from pytest_edgebudget.facts import MemoryFacts, Predictions, StartupFacts, Timings
from pytest_edgebudget.measure import measure
from pytest_edgebudget.metrics import latency, latency_p95, ram
from pytest_edgebudget.store import Store
from pytest_edgebudget.testing import DeviceContract
from pytest_edgebudget.types import DeviceChoice, Evidence
from tests.devices.adb.stand_in import StandIn
from tests.devices.adb.test_report import LOG
from tests.devices.ssh.conftest import DIGITS, WARM
from tests.devices.ssh.server import command_of, environment_of, processes_of, wait_for
from tests.measure.help import artifact, wanted

SERIAL = "R58M123"


def choice(**more: object) -> DeviceChoice:
    facts = {"profile": profile_named("raspberry-pi-4"), "run": f"adb://{SERIAL}", **more}
    return DeviceChoice(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "serial", ["R58M123", "emulator-5554", "192.168.1.5:5555", "adb-1._adb._tcp"]
)
def test_an_address_is_a_serial_number(serial: str) -> None:
    assert parse(f"adb://{serial}") == serial


@pytest.mark.parametrize(
    "url", ["adb://", "adb://-a", "adb://a b", "adb://a;b", "adb://a\n", "ssh://a"]
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(EdgeBudgetError, match="is no address of a phone"):
        parse(url)


# --- with a Python on the phone ---------------------------------------------------


class TestPython(DeviceContract):
    """What every device keeps: the worker behind the stand-in."""

    model = DIGITS / "digits.tflite"
    data = DIGITS / "data.npz"

    @pytest.fixture
    def device(self, phone: StandIn) -> Device:
        pytest.importorskip("ai_edge_litert", reason="the runtime of this test")
        device = open_device(choice(python=sys.executable))
        assert isinstance(device, RemoteDevice)
        # The stand-in changes what is on command lines; this is in the program that is sent.
        device.board.transport.folder = str(phone.phone / "edgebudget")  # type: ignore[misc]
        device.board.settings = _settings(phone)
        return device


def _settings(phone: StandIn) -> object:
    from pytest_edgebudget.devices.remote.board import Settings

    return Settings(lease=str(phone.phone), patience=5.0)


def test_a_phone_that_is_unplugged_is_told(phone: StandIn) -> None:
    device = open_device(choice(python=sys.executable))
    phone.unplug()
    with pytest.raises(DeviceError) as caught:
        device.identity("tflite")
    assert caught.value.message == "there is no connection to the phone R58M123"
    assert "error: device 'R58M123' not found" in caught.value.hint
    assert "is it plugged in, with USB debugging on?" in caught.value.hint


def test_the_doctor_looks_at_the_phone(phone: StandIn) -> None:
    phone.unplug()
    (lack,) = WAY.lacks(choice())
    assert lack.what == "the phone R58M123 is not there: error: device 'R58M123' not found"
    phone.plug_in()
    assert WAY.lacks(choice(benchmark="x")) == []
    (lack,) = WAY.lacks(choice(python="/no/python"))
    assert lack.what == "/no/python on the phone R58M123 (Python 3.7 or newer)"


# --- with benchmark_model ---------------------------------------------------------


@pytest.fixture
def device(phone: StandIn, tmp_path: Path) -> BenchmarkDevice:
    """A stand-in for the tool, too: it prints what the real one has printed."""
    tool = tmp_path / "benchmark_model"
    tool.write_text(f"#!/bin/sh\ntest -f ${{1#--graph=}} || exit 1\ncat <<'END'\n{LOG}END\n")
    found = open_device(choice(benchmark=str(tool), threads=4))
    assert isinstance(found, BenchmarkDevice)
    return found


def test_a_model_is_timed_in_five_processes(
    device: BenchmarkDevice, phone: StandIn, tmp_path: Path
) -> None:
    found = measure(
        artifact(WARM),
        wanted(latency.METRIC, ram.METRIC, latency_p95.METRIC),
        device=device,
        data=None,
        split="test",
        source=None,
        state="reset",
        store=Store(tmp_path / "store", 1 << 20),
        root=tmp_path,
    )
    read = found.readings["latency"]
    assert read.value == pytest.approx(0.0540741)
    assert read.evidence is Evidence.MEASURED
    assert "each the mean of 50 or more runs of benchmark_model" in read.note
    keys = dict(read.key)
    assert keys["cpu"] == "SM8550, kalama, Galaxy S23"
    assert keys["version"].startswith("benchmark_model ")
    weight = found.readings["ram"]
    assert (weight.low, weight.high) == (0.0, pytest.approx(109.848 * 2**20))
    assert "needs 59 runs" in found.missing["latency_p95"].reason
    runs = [words[-1] for words in phone.asked if "--graph" in words[-1]]
    assert len(runs) == 5  # for both metrics together
    digest = artifact(WARM).sha256
    assert (
        f"/benchmark_model --graph=/data/local/tmp/edgebudget/{digest}/warm.tflite "
        "--num_threads=4 --num_runs=50 --min_secs=1 --max_secs=60 --warmup_runs=1 2>&1 & "
    ) in runs[0]


def test_nothing_is_copied_twice(device: BenchmarkDevice, phone: StandIn) -> None:
    gather = device.source(Timings)
    assert gather is not None
    gather(artifact(WARM), lambda worker: None)
    assert device.phone.copied == WARM.stat().st_size + device.tool.stat().st_size
    again = open_device(device.choice)
    assert isinstance(again, BenchmarkDevice)
    assert again.source(StartupFacts)(artifact(WARM), lambda worker: None) == StartupFacts(  # type: ignore[misc]
        (pytest.approx(0.017404 + 0.064126),) * 5
    )
    assert again.phone.copied == 0
    assert not (phone.phone / "edgebudget" / "lease").exists()


def test_what_the_tool_does_not_tell_is_refused(device: BenchmarkDevice) -> None:
    assert device.refusal(Predictions) == (
        "benchmark_model tells times and memory alone: a Python on the phone tells more"
    )
    assert [device.refusal(kind) for kind in (Timings, StartupFacts, MemoryFacts)] == [""] * 3
    with pytest.raises(CannotTell):
        device.worker("tflite")


@pytest.mark.parametrize(
    ("delegate", "words"),
    [
        ("gpu", ["--use_gpu=true"]),
        ("libx.so", ["--external_delegate_path=libx.so"]),
        (None, []),
    ],
)
def test_a_delegate_is_the_tools(
    device: BenchmarkDevice, delegate: str | None, words: list[str]
) -> None:
    found = BenchmarkDevice(choice(delegate=delegate), device.phone, device.tool)
    said = shlex.split(found.command("a b.tflite", "tool"))
    assert said[:2] == ["tool", "--graph=a b.tflite"]
    assert [word for word in said if "gpu" in word or "delegate" in word] == words


def test_a_tool_that_fails_is_infrastructure(device: BenchmarkDevice) -> None:
    device.tool.write_text("#!/bin/sh\necho 'ERROR: not a model' >&2; exit 1\n")
    gather = device.source(Timings)
    assert gather is not None
    with pytest.raises(
        DeviceError, match=r"ended with status 1 while timing warm\.tflite"
    ) as caught:
        gather(artifact(WARM), lambda worker: None)
    assert caught.value.hint == "ERROR: not a model"


PARENT = """
import sys
from pathlib import Path
from pytest_edgebudget.devices import open_device, profile_named
from pytest_edgebudget.facts import Timings
from pytest_edgebudget.types import DeviceChoice
from tests.measure.help import artifact

device = open_device(DeviceChoice(
    profile=profile_named("raspberry-pi-4"), run="adb://R58M123", benchmark=sys.argv[1]))
device.source(Timings)(artifact(Path(sys.argv[2])), lambda worker: None)
"""


def test_a_parent_that_is_killed_leaves_no_tool_behind(
    device: BenchmarkDevice, phone: StandIn, tmp_path: Path
) -> None:
    if sys.platform != "linux":
        pytest.skip("processes are found in /proc")
    started = tmp_path / "started"
    device.tool.write_text(f"#!/bin/sh\ntouch {started}\nexec sleep 1000\n")
    command = [sys.executable, "-c", PARENT, str(device.tool), str(WARM)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3]) as parent:
        wait_for(started.exists, "the tool does not start")
        assert _of(phone)
        parent.kill()
    wait_for(lambda: not _of(phone), "something is still there", 10)


def _of(phone: StandIn) -> list[int]:
    """What runs with the stand-in's folder in its environment's PATH, or on its command line."""
    mark = f"{phone.phone}/bin:".encode()
    return [
        pid
        for pid in processes_of("")
        if mark in environment_of(pid) or str(phone.phone) in command_of(pid)
    ]


def test_a_tool_that_hangs_is_stopped_on_the_phone(device: BenchmarkDevice, phone: StandIn) -> None:
    with pytest.raises(Silent, match=r"gave no answer in 0\.5 s while timing it"):
        device.phone.run_watched("sleep 1000", "timing it", 0.5)
    wait_for(lambda: not _of(phone), "the tool is still there", 10)


def test_a_phone_that_goes_away_is_of_the_kind_that_is_tried_again(
    device: BenchmarkDevice, phone: StandIn
) -> None:
    device.phone.run("true", "looking")
    phone.unplug()
    with pytest.raises(Interrupted, match="there is no connection to the phone R58M123"):
        device.phone.run("true", "looking")


def test_two_jobs_do_not_have_one_phone(device: BenchmarkDevice, phone: StandIn) -> None:
    other = Phone(Adb(SERIAL), wait=0.1)
    owner = phone.phone / "edgebudget" / "lease" / "owner"
    with device.phone.lease():
        assert owner.exists()
        with pytest.raises(DeviceError, match=r"the phone R58M123 is in use by .*@"), other.lease():
            pass
    assert not owner.parent.exists()
    # A job that was killed loses it after a quarter of an hour.
    owner.parent.mkdir()
    owner.write_text("bob@ci 1000\n")
    with other.lease():
        assert "bob" not in owner.read_text()


def test_a_tool_that_is_not_there_is_told(phone: StandIn) -> None:
    with pytest.raises(EdgeBudgetError, match="benchmark = '/no/tool': there is no such file"):
        open_device(choice(benchmark="/no/tool"))


# --- Android's own client ---------------------------------------------------------


@pytest.fixture
def real_adb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Its server on a port of this test's, with keys in its folder; ended afterwards."""
    if shutil.which("adb") is None:
        pytest.skip("no adb: sudo apt-get install adb")
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(port))
    monkeypatch.setenv("ADB_MDNS_AUTO_CONNECT", "0")
    monkeypatch.delenv(VARIABLE, raising=False)
    yield
    subprocess.run(["adb", "kill-server"], check=False, capture_output=True, env=dict(os.environ))


@pytest.mark.usefixtures("real_adb")
def test_the_real_client_says_that_there_is_no_such_phone() -> None:
    (lack,) = WAY.lacks(choice())
    assert lack.what.startswith("the phone R58M123 is not there: error: device 'R58M123' not found")
    assert "adb devices lists what is there" in lack.command
    with pytest.raises(DeviceError) as caught:
        open_device(choice()).identity("tflite")
    assert caught.value.message == "there is no connection to the phone R58M123"
    with pytest.raises(Interrupted, match="there is no connection to the phone R58M123"):
        Phone(Adb(SERIAL)).put(WARM)
