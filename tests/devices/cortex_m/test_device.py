"""``run = "cortex-m"`` as a device: its contract, its readings, what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_edgebudget import facts
from pytest_edgebudget.devices import Device, load_profile, open_device, profile_named
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.ways import way_named
from pytest_edgebudget.errors import EdgeBudgetError, ModelError
from pytest_edgebudget.testing import DeviceContract
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence, Recipe
from tests.devices.cortex_m.one_op import OneOp, network, options
from tests.devices.cortex_m.tools import needs_tools, write_network, write_profile

ROOT = Path(__file__).parents[3]
DIGITS = ROOT / "examples" / "digits"


def chip(name: str = "stm32l4r5-tflm") -> Device:
    return open_device(DeviceChoice(profile=profile_named(name), run="cortex-m"))


@needs_tools
class TestContract(DeviceContract):
    @pytest.fixture
    def device(self, tmp_path: Path) -> Device:
        self.model, self.data = write_network(tmp_path)
        return chip()


def test_profiles_of_other_cores_and_runtimes_are_refused_in_words() -> None:
    refusal = way_named("cortex-m").refusal
    assert refusal(profile_named("stm32u575-tflm")) == ""
    assert refusal(profile_named("rp2040-tflm")) == ""
    assert "Xtensa LX7" in refusal(profile_named("esp32s3-tflm"))
    assert "ethos-u55-128 computes there" in refusal(profile_named("ethos-u55-128"))
    assert "Cortex-A72" in refusal(profile_named("raspberry-pi-4"))
    with pytest.raises(EdgeBudgetError, match="its core is Xtensa"):
        chip("esp32s3-tflm")


def test_time_and_energy_are_refused_and_the_rest_is_emulated() -> None:
    device = chip()
    for kind in (facts.Timings, facts.StartupFacts, facts.EnergyFacts):
        assert "QEMU counts instructions" in device.refusal(kind)
    for kind in (facts.Predictions, facts.LinkFacts, facts.MemoryFacts, facts.InstructionFacts):
        assert not device.refusal(kind)
        assert device.evidence(kind) is Evidence.EMULATED
        assert device.repeats(kind)


def test_what_is_missing_comes_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    choice = DeviceChoice(profile=profile_named("stm32l4r5-tflm"), run="cortex-m")
    told = [(lack.what, lack.command) for lack in way_named("cortex-m").lacks(choice)]
    install = "apt install --no-install-recommends"
    assert told == [
        ("arm-none-eabi-gcc is not installed", f"{install} gcc-arm-none-eabi"),
        ("qemu-system-arm is not installed", f"{install} qemu-system-arm"),
    ]


def artifact(path: Path) -> Artifact:
    return Artifact(path=path, size=path.stat().st_size, sha256="0" * 64, recipe=Recipe(()))


@needs_tools
def test_an_operator_without_c_is_named_and_answered_by_the_micro_runtime(tmp_path: Path) -> None:
    net = OneOp(0)
    x = net.input([1, 8], 0.1, 3)
    leaky = options("LeakyRelu", alpha=0.2)
    path = tmp_path / "leaky.tflite"
    path.write_bytes(net.finish("LEAKY_RELU", [x], net.tensor([1, 8], 0.1, 3), leaky))
    device = chip()
    source = device.source(facts.LinkFacts)
    assert source is not None
    with pytest.raises(CannotTell, match="LEAKY_RELU: the generator has no such layer") as caught:
        source(artifact(path), lambda worker: None)
    assert 'run = "tflm" runs it in TensorFlow Lite Micro itself' in caught.value.hint
    with device.worker("tflite") as worker:
        assert worker.load(path).evidence is Evidence.EMULATED


@needs_tools
def test_a_float_model_is_refused_as_the_model_that_it_is() -> None:
    source = chip().source(facts.LinkFacts)
    assert source is not None
    with pytest.raises(ModelError, match=r"computes with floats \(CONV_2D, .*\)") as caught:
        source(artifact(DIGITS / "digits.tflite"), lambda worker: None)
    assert "int8 makes all of it integers" in caught.value.hint


BUDGET = """
[device]
profile = "{profile}"
run = "cortex-m"
{more}
[models.net]
path = "network.tflite"
data = "data.npz"
[models.net.budget]
flash = {{ max = "{flash}", slots = {slots} }}
ram = "{ram}"
instructions = 2_000_000
accuracy = 0.99
"""


def gate(pytester: pytest.Pytester, **values: object) -> tuple[pytest.RunResult, dict[str, dict]]:
    found = {"profile": "chip.toml", "more": "", "flash": "20 KiB", "slots": 1, "ram": "3 KiB"}
    (pytester.path / "pyproject.toml").write_text("")
    (pytester.path / "mcu.toml").write_text(BUDGET.format(**{**found, **values}))
    result = pytester.runpytest(
        "-p", "no:randomly", "--edge-budget", "mcu.toml", "--edge-budget-report", "json:report.json"
    )
    report = json.loads((pytester.path / "report.json").read_text())
    return result, {row["metric"]: row for row in report["limits"]}


@needs_tools
def test_a_budget_is_kept_by_the_linkers_and_the_emulators_numbers(
    pytester: pytest.Pytester,
) -> None:
    write_network(pytester.path)
    write_profile(pytester.path)
    result, rows = gate(pytester)

    assert result.ret == 0
    assert rows["accuracy"]["after"]["value"] == 1.0  # its labels are the micro runtime's answers
    assert {row["after"]["evidence"] for row in rows.values() if row["metric"] != "lint"} == {
        "emulated"
    }
    flash, ram = rows["flash"]["after"], rows["ram"]["after"]
    weights = 8 * 9 + 8 * 9 + 4 * 128
    assert weights < flash["value"] < weights + 8 * 1024
    assert "code + " in flash["note"]
    assert "not TensorFlow Lite Micro" in flash["note"]
    assert ram["value"] > 2 * 8 * 64  # two of the largest tensors
    assert "B stack" in ram["note"]
    assert "plain C" in rows["instructions"]["after"]["note"]
    _, twice = gate(pytester, slots=2)
    assert twice["flash"]["after"]["value"] == 2 * flash["value"]


@needs_tools
def test_a_program_that_is_too_large_is_a_verdict_that_says_by_how_much(
    pytester: pytest.Pytester,
) -> None:
    write_network(pytester.path)
    write_profile(pytester.path, flash="4 KiB", ram="1 KiB")
    result, rows = gate(pytester, flash="4 KiB", ram="1 KiB")

    assert result.ret == 1
    assert {name: rows[name]["outcome"] for name in ("flash", "ram", "accuracy")} == {
        "flash": "broken",
        "ram": "broken",
        "accuracy": "unmeasured",
    }
    flash = rows["flash"]["after"]
    assert f"{(flash['value'] - 4096) / 1024:.2f} KiB more than there is" in flash["note"]
    result.stdout.fnmatch_lines(["*accuracy is unmeasured: the program is larger than the device*"])


@needs_tools
def test_samples_are_respected(pytester: pytest.Pytester) -> None:
    write_network(pytester.path)
    write_profile(pytester.path)
    _, rows = gate(pytester, more="samples = 5")
    assert dict(rows["accuracy"]["after"]["key"])["first"] == "5"


ENDLESS = """
import sys
from pathlib import Path
from pytest_edgebudget.devices import open_device, profile_named
from pytest_edgebudget.devices.base import Samples
from pytest_edgebudget.types import DeviceChoice

device = open_device(DeviceChoice(profile=profile_named("stm32l4r5-tflm"), run="cortex-m"))
with device.worker("tflite") as worker:
    worker.load(Path(sys.argv[1]))
    worker.run(Samples(path=Path(sys.argv[2]), split="test"), "reset", Path("out.npz"))
"""


@needs_tools
def test_a_run_that_is_killed_leaves_no_emulator(tmp_path: Path) -> None:
    model, data = tmp_path / "network.tflite", tmp_path / "data.npz"
    model.write_bytes(network(side=32, channels=32))  # a second a sample
    import numpy as np

    np.savez(data, x_test=np.zeros((200, 32, 32, 1), np.int8))
    run = [sys.executable, "-c", ENDLESS, str(model), str(data)]
    own = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen(run, cwd=tmp_path, env=own, stdout=subprocess.DEVNULL)
    try:
        emulator = wait_for(lambda: below(parent.pid, "qemu-system-arm"))
        family = below(parent.pid, "")
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    assert emulator
    assert wait_for(lambda: not [pid for pid in family if alive(pid)])


def wait_for(look, seconds: float = 60.0):  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def below(pid: int, name: str) -> list[int]:
    """The processes that *pid* and its children started, whose command has *name* in it."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            words = (folder / "cmdline").read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        parents[int(folder.name)] = (int(fields[1]), words)
    found, last = {pid}, set[int]()
    while found != last:
        last = set(found)
        found |= {child for child, (parent, _) in parents.items() if parent in last}
    return [child for child in found - {pid} if name in parents[child][1]]


def alive(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
            != "Z"
        )
    except OSError:
        return False


def test_a_profile_of_ones_own_needs_no_code(tmp_path: Path) -> None:
    profile = load_profile(write_profile(tmp_path, cpu="Cortex-M7"))
    device = open_device(DeviceChoice(profile=profile, run="cortex-m"))
    assert device.formats == ("tflite",)
