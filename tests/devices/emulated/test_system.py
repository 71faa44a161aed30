"""A whole emulated computer: what a model takes of it, its ceiling, and that it ends."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import pytest_edgebudget.worker
from pytest_edgebudget.devices import open_device, profile_named
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.emulated.parts import parts
from pytest_edgebudget.devices.emulated.system import computer
from pytest_edgebudget.devices.emulated.system.kernel import PART
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.facts import DeviceMemory, MemoryFacts, Predictions
from pytest_edgebudget.testing import descendants
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence, Recipe, Step
from tests.devices.emulated.conftest import need

TFLITE = Path(pytest_edgebudget.worker.__file__).parent / "warm.tflite"
MODEL = Artifact(
    recipe=Recipe((Step("none"),)), path=TFLITE, sha256="0" * 64, size=TFLITE.stat().st_size
)
PI = profile_named("raspberry-pi-4")


def need_system() -> None:
    need("raspberry-pi-4")
    if shutil.which(computer.PROGRAM) is None:
        pytest.skip(f"{computer.MISSING.what}: {computer.MISSING.command}")
    if not parts().has(PART):
        pytest.skip("no kernel is installed: edgebudget devices install raspberry-pi-4")


def weigh(ram: int) -> DeviceMemory:
    """The bundled model, on a Raspberry Pi 4 with so many bytes of memory."""
    device = open_device(DeviceChoice(profile=replace(PI, ram=ram), run="emulate-system"))
    source = device.source(MemoryFacts)
    assert source is not None
    found = source(MODEL, lambda worker: None)
    assert isinstance(found, DeviceMemory)
    return found


@pytest.mark.slow
def test_a_model_is_weighed_by_an_arm_linux_and_is_not_killed() -> None:
    need_system()
    found = weigh(256 << 20)
    assert found.evidence is Evidence.EMULATED
    assert 0 <= found.low <= found.value <= found.high < 2 << 20
    assert "with Python and the runtime at most " in found.note
    assert "not killed under a ceiling of 256 MiB" in found.note
    assert "Linux 6.1.0-" in found.note


@pytest.mark.slow
def test_a_model_that_needs_more_than_the_ceiling_is_killed_and_the_reason_told() -> None:
    """By the kernel itself: Python and the runtime alone need more than 16 MiB."""
    need_system()
    with pytest.raises(CannotTell) as caught:
        weigh(16 << 20)
    assert caught.value.message == (
        "warm.tflite was killed at the ceiling of 16 MiB:"
        " with Python and the runtime it needs more memory"
    )


KILLED = """
from tests.devices.emulated.test_system import weigh
print("booting", flush=True)
weigh(256 << 20)
"""


def test_no_computer_outlives_a_run_that_was_killed() -> None:
    need_system()
    run = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    assert run.stdout.readline() == "booting\n"
    end = time.monotonic() + 30
    while not (emulators := _emulators()) and time.monotonic() < end:
        time.sleep(0.05)
    run.kill()
    run.communicate()
    assert emulators
    while any(alive(pid) for pid in emulators) and time.monotonic() < end + 5:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in emulators)


def _emulators() -> set[int]:
    """Those that a process of ours has started."""
    return {pid for pid in descendants() if computer.PROGRAM.encode() in _command(pid)}


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return b""


def alive(pid: int) -> bool:
    return computer.PROGRAM.encode() in _command(pid)


def test_all_but_memory_is_as_emulated() -> None:
    device = open_device(DeviceChoice(profile=PI, run="emulate-system"))
    kinds = (Predictions, MemoryFacts)
    assert [device.evidence(kind) for kind in kinds] == [Evidence.EMULATED] * 2
    assert device.source(Predictions) is None
    assert not device.repeats(MemoryFacts)


def test_a_board_of_32_bits_is_told() -> None:
    with pytest.raises(EdgeBudgetError) as caught:
        open_device(DeviceChoice(profile=profile_named("raspberry-pi-2"), run="emulate-system"))
    assert caught.value.message == (
        'run = "emulate-system": raspberry-pi-2 has 32 bits; a whole computer is emulated with 64'
    )
