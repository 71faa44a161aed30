"""Boards under QEMU, really run: kernels, counts, bits, and workers that end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import pytest_edgebudget.worker
from pytest_edgebudget.devices import Device, open_device, profile_named
from pytest_edgebudget.devices.base import CannotTell, Samples
from pytest_edgebudget.devices.client import WorkerClient
from pytest_edgebudget.devices.emulated.device import EmulatedDevice
from pytest_edgebudget.devices.emulated.qemu import Qemu
from pytest_edgebudget.errors import DeviceError, EdgeBudgetError
from pytest_edgebudget.facts import (
    DeviceMemory,
    InstructionFacts,
    MemoryFacts,
    Predictions,
    StartupFacts,
    Timings,
    TwinAnswers,
)
from pytest_edgebudget.testing import DeviceContract, descendants
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence, Recipe, Step
from tests.devices.emulated.conftest import need

WARM = Path(pytest_edgebudget.worker.__file__).parent
TFLITE, ONNX = WARM / "warm.tflite", WARM / "warm.onnx"


def board(name: str, **choice: object) -> EmulatedDevice:
    need(name)
    device = open_device(DeviceChoice(profile=profile_named(name), run="emulate", **choice))  # type: ignore[arg-type]
    assert isinstance(device, EmulatedDevice)
    return device


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.npz"
    x = np.random.default_rng(1).standard_normal((3, 8, 8, 1)).astype(np.float32)
    np.savez(path, x_test=x)
    return path


@pytest.fixture(scope="module")
def pi4() -> Iterator[EmulatedDevice]:
    """One board for all tests that break nothing: its worker starts once."""
    device = board("raspberry-pi-4")
    yield device
    device.close()


@pytest.mark.slow
class TestContract(DeviceContract):
    """A Raspberry Pi 4 keeps the contract of devices."""

    model = TFLITE

    @pytest.fixture
    def device(self, data: Path) -> Device:
        self.data = data
        return board("raspberry-pi-4")


def test_answers_and_counts_are_the_boards_and_time_and_memory_are_not(pi4: EmulatedDevice) -> None:
    kinds = (Predictions, InstructionFacts, TwinAnswers, MemoryFacts)
    assert [pi4.evidence(kind) for kind in kinds] == [Evidence.EMULATED] * 3 + [Evidence.HOST]
    assert [pi4.refusal(kind) for kind in kinds] == [""] * 4
    assert [pi4.repeats(kind) for kind in kinds] == [True] * 3 + [False]
    for kind in (Timings, StartupFacts):
        assert pi4.refusal(kind).startswith("emulation has no time: ")


def test_the_runtime_sees_the_boards_cpu(pi4: EmulatedDevice) -> None:
    with pi4.worker("tflite") as worker:
        assert isinstance(worker, WorkerClient)
        told = worker.hello()
    assert (told["machine"], told["cpu"]) == ("aarch64", "0x41 0xd08")
    assert told["cpu_flags"] == ["asimd"]
    assert told["version"] == pi4.identity("tflite").version


def test_counts_are_the_same_to_the_last_one_whatever_was_run_before(
    pi4: EmulatedDevice, data: Path, tmp_path: Path
) -> None:
    """Of the same worker, and of a fresh one."""

    def fill(worker: object) -> None:
        assert isinstance(worker, WorkerClient)
        worker.run(Samples(path=data, split="test", first=1), "reset", tmp_path / "out.npz")

    first = pi4.instructions(TFLITE, fill)
    with pi4.worker("tflite") as worker:
        worker.load(TFLITE)
        worker.run(Samples(path=data, split="test"), "reset", tmp_path / "out.npz")
    second = pi4.instructions(TFLITE, fill)
    pi4.close()
    third = pi4.instructions(TFLITE, fill)
    assert first == second == third
    assert 1_000 < first.count < 1_000_000
    assert first.tool.startswith("qemu-aarch64 7.")
    assert first.tool.endswith(" -cpu cortex-a72, counter 1")
    assert "memory" in first.note


@pytest.mark.slow
def test_onnxruntime_is_counted_too(pi4: EmulatedDevice) -> None:
    """Its library names no function, and a plugin of QEMU needs none."""
    assert len({pi4.instructions(ONNX, lambda worker: None).count for _ in range(2)}) == 1


def test_one_worker_serves_all_metrics_and_another_takes_its_place_when_it_died(
    pi4: EmulatedDevice,
) -> None:
    pids = []
    for _ in range(2):
        with pi4.worker("tflite") as worker:
            assert isinstance(worker, WorkerClient)
            pids.append(worker.pid)
            worker.load(TFLITE)
    assert pids[0] == pids[1]
    os.kill(pids[0], signal.SIGKILL)
    with (
        pytest.raises(DeviceError, match=r"emulated litert worker was killed by SIGKILL"),
        pi4.worker("tflite") as worker,
    ):
        worker.load(TFLITE)
    with pi4.worker("tflite") as worker:
        assert isinstance(worker, WorkerClient)
        assert worker.pid != pids[0]
        assert worker.load(TFLITE).outputs


def test_closing_ends_the_emulator(pi4: EmulatedDevice) -> None:
    before = descendants()
    with pi4.worker("tflite") as worker:
        assert isinstance(worker, WorkerClient)
        assert worker.pid in descendants()
    pi4.close()
    assert descendants() <= before


def test_a_model_is_weighed_on_this_machine_and_the_note_says_so(pi4: EmulatedDevice) -> None:
    pytest.importorskip("ai_edge_litert", reason="the runtime of this machine")
    recipe = Recipe((Step("none"),))
    model = Artifact(recipe=recipe, path=TFLITE, sha256="0" * 64, size=TFLITE.stat().st_size)
    weigh = pi4.source(MemoryFacts)
    assert weigh is not None
    found = weigh(model, lambda worker: None)
    assert isinstance(found, DeviceMemory)
    assert found.evidence is Evidence.HOST
    assert found.low <= found.value <= found.high
    assert found.note.endswith("weighed on this machine, as in the emulator it is the emulator's")


KILLED = """
import sys
from pathlib import Path
from pytest_edgebudget.devices import open_device, profile_named
from pytest_edgebudget.types import DeviceChoice

device = open_device(DeviceChoice(profile=profile_named("raspberry-pi-4"), run="emulate"))
with device.worker("tflite") as worker:
    worker.load(Path(sys.argv[1]))
    print(worker.pid, flush=True)
    while True:
        worker.time(100_000)
"""


def test_no_emulator_outlives_a_run_that_was_killed() -> None:
    need("raspberry-pi-4")
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(TFLITE)], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    emulator = int(run.stdout.readline())
    assert alive(emulator)
    time.sleep(0.5)  # in the middle of it
    run.kill()
    run.communicate()
    end = time.monotonic() + 5
    while alive(emulator) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(emulator)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_program_gets_the_boards_memory_and_no_more(tmp_path: Path) -> None:
    """A Raspberry Pi Zero 2 W has 512 MiB, and QEMU itself gets a GiB."""
    need("raspberry-pi-zero-2w")
    device = board("raspberry-pi-zero-2w")
    running = device._board("litert")
    from pytest_edgebudget.devices.emulated.tether import tether

    take = "import sys; x = bytes(int(sys.argv[1]) << 20); print(len(x) >> 20)"
    command = [*tether(running.memory), *running.command(), "-c", take]
    environment = running.environment("litert") | {"EDGEBUDGET_COUNTS": str(tmp_path / "counts")}
    said = [
        subprocess.run(
            [*command, size], env=environment, capture_output=True, text=True, timeout=60
        )
        for size in ("400", "1500")
    ]
    assert said[0].stdout == "400\n"
    assert (said[1].returncode, said[1].stdout) == (1, "")
    assert "MemoryError" in said[1].stderr


@pytest.mark.slow
def test_a_32_bit_board_runs_and_is_counted_in_a_fresh_worker(data: Path, tmp_path: Path) -> None:
    device = board("raspberry-pi-2")
    assert device.formats == ("tflite",)
    with device.worker("tflite") as worker:
        assert isinstance(worker, WorkerClient)
        assert worker.hello()["machine"].startswith("arm")
        worker.load(TFLITE)
        worker.run(Samples(path=data, split="test"), "reset", tmp_path / "out.npz")
    found = {device.instructions(TFLITE, lambda worker: None).count for _ in range(2)}
    device.close()
    assert len(np.load(tmp_path / "out.npz")["0"]) == 3
    assert len(found) == 1


def test_a_qemu_that_was_not_tried_counts_nothing(
    pi4: EmulatedDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = Qemu(program="qemu-aarch64", command=("qemu",), version="99.1.0", counts=False)
    monkeypatch.setattr(
        "pytest_edgebudget.devices.emulated.board.find_qemu", lambda arch, parts: newer
    )
    with pytest.raises(CannotTell) as caught:
        pi4.instructions(TFLITE, lambda worker: None)
    assert caught.value.message == (
        "the counter was not tried with QEMU 99.1.0 of this machine;"
        " edgebudget devices install raspberry-pi-4 brings QEMU 7.2"
    )


def test_what_cannot_be_emulated_is_told() -> None:
    def message(name: str, **choice: str) -> str:
        with pytest.raises(EdgeBudgetError) as caught:
            open_device(DeviceChoice(profile=profile_named(name), run="emulate", **choice))  # type: ignore[arg-type]
        return caught.value.message

    assert message("stm32l4r5-tflm").startswith('run = "emulate": stm32l4r5-tflm has a Cortex-M4')
    assert message("raspberry-pi-2", runtime="litert") == "'litert' cannot be had for armhf Linux"
    assert message("raspberry-pi-4", delegate="gpu") == (
        'run = "emulate" has the CPU alone, and no delegate or provider'
    )


def test_a_board_that_is_not_installed_is_told_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("raspberry-pi-4")
    monkeypatch.setenv("EDGEBUDGET_DATA", str(tmp_path))
    with pytest.raises(DeviceError) as caught:
        board_anywhere().identity("tflite")
    assert str(caught.value) == (
        "raspberry-pi-4 cannot be emulated with litert: it is not installed\n"
        "  edgebudget devices install raspberry-pi-4"
    )


def board_anywhere() -> Device:
    return open_device(DeviceChoice(profile=profile_named("raspberry-pi-4"), run="emulate"))
