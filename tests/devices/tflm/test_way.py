"""A microcontroller by TensorFlow Lite Micro: what it tells, what it refuses, and its gate."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices import Device, open_device, profile_named, runtimes
from pytest_edgebudget.devices.runtimes import trial_runtime
from pytest_edgebudget.devices.ways import way_named
from pytest_edgebudget.errors import MissingExtra
from pytest_edgebudget.facts import (
    FileFacts,
    InstructionFacts,
    MemoryFacts,
    PlanFacts,
    Predictions,
    StartupFacts,
    Timings,
)
from pytest_edgebudget.testing import DeviceContract, descendants
from pytest_edgebudget.types import DeviceChoice, Evidence

ROOT = Path(__file__).parents[3]
DIGITS = ROOT / "examples" / "digits"
WAY = way_named("tflm")

needs_runtime = pytest.mark.skipif(
    bool(WAY.lacks(DeviceChoice(profile=profile_named("stm32l4r5-tflm"), run="tflm"))),
    reason="tflite-micro is not installed: pip install 'pytest-edgebudget[mcu]'",
)


def board(name: str = "stm32l4r5-tflm") -> Device:
    return open_device(DeviceChoice(profile=profile_named(name), run="tflm"))


@needs_runtime
class TestContract(DeviceContract):
    model = DIGITS / "digits.tflite"
    data = DIGITS / "data.npz"

    @pytest.fixture
    def device(self) -> Device:
        return board()


def test_it_tells_everything_but_speed() -> None:
    device = board()
    told = (FileFacts, graph.Graph, PlanFacts, Predictions, MemoryFacts)
    assert [device.refusal(kind) for kind in told] == [""] * 5
    for kind in (Timings, StartupFacts, InstructionFacts):
        assert device.refusal(kind) == (
            "needs the device: speed and energy of this machine are not those of stm32l4r5-tflm"
        )


@pytest.mark.parametrize(
    ("name", "evidence"),
    [
        ("stm32l4r5-tflm", Evidence.EMULATED),  # CMSIS-NN is bit-exact by its own word
        ("rp2040-tflm", Evidence.EMULATED),
        ("esp32s3-tflm", Evidence.HOST),  # of ESP-NN nothing is said
    ],
)
def test_answers_are_emulated_where_the_kernels_are_said_to_be_bit_exact(
    name: str, evidence: Evidence
) -> None:
    assert board(name).evidence(Predictions) is evidence
    assert board(name).evidence(MemoryFacts) is Evidence.ESTIMATED


@needs_runtime
def test_identity_is_the_release_whatever_the_machine() -> None:
    found = board().identity("tflite")
    assert (found.runtime, found.version) == ("tflm", version("tflite-micro"))


def test_what_runs_there_and_what_does_not() -> None:
    refusals = {
        name: WAY.refusal(profile_named(name))
        for name in ("nrf52840-tflm", "raspberry-pi-4", "ethos-u55-128")
    }
    assert refusals == {
        "nrf52840-tflm": "",
        "raspberry-pi-4": "it runs litert and onnxruntime and tflite-runtime, "
        "not TensorFlow Lite Micro",
        "ethos-u55-128": "ethos-u55-128 computes there, and TensorFlow Lite Micro here has none",
    }


def test_without_the_runtime_the_extra_is_named(tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("a shell script")
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')  # no site-packages
    script.chmod(0o755)
    choice = DeviceChoice(profile=profile_named("stm32l4r5-tflm"), run="tflm", python=str(script))
    (lack,) = WAY.lacks(choice)
    assert lack.what == "tflite-micro is not installed"
    assert lack.command == f"{script} -m pip install tflite-micro numpy"
    with pytest.raises(MissingExtra, match="tflite-micro, which is not installed"):
        open_device(choice).identity("tflite")


def test_what_was_built_is_tried_in_it_or_where_it_is_not_installed_in_litert(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runtimes, "installed", lambda distribution, python: "1.0")
    assert trial_runtime("tflm") == "tflm"
    monkeypatch.setattr(runtimes, "installed", lambda distribution, python: "")
    assert trial_runtime("tflm") == "litert"
    assert trial_runtime("onnxruntime") == "onnxruntime"


BUDGET = """
[device]
profile = "{profile}"

[models.digits]
path = "{digits}/digits.tflite"
data = "{digits}/data.npz"
optimize = [{recipes}]

[models.digits.budget]
"""


def gate(pytester: pytest.Pytester, limits: str, recipes: str = '"int8"', **more: str) -> str:
    (pytester.path / "pyproject.toml").write_text("")
    text = BUDGET.format(digits=DIGITS, recipes=recipes, profile=more.get("profile", "board.toml"))
    (pytester.path / "mcu.toml").write_text(text + limits)
    (pytester.path / "board.toml").write_text(
        'runtimes = ["tflm"]\nkernels = "reference"\ncpu = "Cortex-M4"\nram = "64 KiB"\n'
        'default_run = "tflm"\n'
    )
    pytester.runpytest_subprocess(
        "--edge-budget=mcu.toml", "--edge-budget-report=json:report.json", timeout=300
    )
    return (pytester.path / "report.json").read_text()


@needs_runtime
def test_a_limit_above_what_ran_is_kept_below_the_sure_part_broken_and_undecided_between(
    pytester: pytest.Pytester,
) -> None:
    """digits.tflite: print_allocations says 12,288 + 2,528 bytes."""
    limits = 'arena = "14816 B"\nram = "14815 B"\nactivation_plan = "12 KiB"\n'
    report = json.loads(gate(pytester, limits, '"none"'))
    found = {row["metric"]: row["outcome"] for row in report["limits"]}
    assert found["arena"] == "kept"
    assert found["ram"] == "undecided"
    report = json.loads(gate(pytester, 'arena = "12288 B"\n', '"none"'))
    assert [row["outcome"] for row in report["limits"] if row["metric"] == "arena"] == ["broken"]


@needs_runtime
def test_recipes_that_the_runtime_refuses_are_tried_in_it_and_told(
    pytester: pytest.Pytester,
) -> None:
    if importlib.util.find_spec("litert_quantizer") is None:  # looked for: protobuf loads once
        pytest.skip("needs the extra litert")
    limits = 'size = "30 KiB"\naccuracy = { min = 0.97, max_drop = "2 pp" }\narena = "14 KiB"\n'
    report = json.loads(gate(pytester, limits, '"dynamic_int8", "int8"'))
    (model,) = report["models"]
    assert model["recipe"] == "int8"
    refused, chosen = model["trials"]
    assert refused["state"] == "failed"
    assert "tflm refuses what dynamic_int8 made" in refused["reason"]
    assert "Hybrid models are not supported on TFLite Micro" in refused["reason"]
    assert chosen["state"] == "chosen"
    accuracy = next(row for row in report["limits"] if row["metric"] == "accuracy")
    assert accuracy["after"]["evidence"] == "emulated"
    assert accuracy["outcome"] == "kept"


@needs_runtime
@pytest.mark.reference
def test_a_model_that_it_refuses_is_refused_in_its_own_words(
    pytester: pytest.Pytester, reference_models: Path
) -> None:
    (pytester.path / "pyproject.toml").write_text("")
    (pytester.path / "mcu.toml").write_text(
        '[device]\nprofile = "stm32l4r5-tflm"\n'
        f'[models.m]\npath = "{reference_models}/kws_dscnn/models/kws_dynrange.tflite"\n'
        '[models.m.budget]\nsize = "1 MiB"\narena = "1 MiB"\n'
    )
    result = pytester.runpytest_subprocess("--edge-budget=mcu.toml", timeout=300)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["m: tflm *refuses the model: Hybrid models are not supported on TFLite Micro*"]
    )


REPAIR = """
import shutil
from pytest_edgebudget.passes.base import Pass

def apply(job):
    \"\"\"Take the integer model.\"\"\"
    shutil.copy("{models}/kws_int8.tflite", job.out)

def pytest_edgebudget_passes():
    check = lambda before, after, step: ""
    return [Pass(name="repair", apply=apply, check=check, formats=frozenset({{"tflite"}}))]
"""


@needs_runtime
@pytest.mark.reference
def test_a_source_that_it_refuses_hinders_no_recipe_that_it_runs(
    pytester: pytest.Pytester, reference_models: Path
) -> None:
    models = reference_models / "kws_dscnn" / "models"
    (pytester.path / "pyproject.toml").write_text("")
    (pytester.path / "shrink.py").write_text(REPAIR.format(models=models))
    (pytester.path / "mcu.toml").write_text(
        f'[device]\nprofile = "stm32l4r5-tflm"\n[models.m]\npath = "{models}/kws_dynrange.tflite"\n'
        'optimize = ["repair"]\n[models.m.budget]\nsize = "1 MiB"\narena = "25 KiB"\n'
    )
    result = pytester.runpytest_subprocess("--edge-budget=mcu.toml", "-p", "shrink", timeout=300)

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["  size  *42.4 KiB *52.7 KiB *kept", "  arena * - *23.7 KiB *kept"]
    )


@needs_runtime
@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "accuracy"),
    [
        # The READMEs' figures are LiteRT's; the micro runtime rounds a little otherwise.
        ("kws_dscnn/models/kws_int8.tflite", 0.9025),
        ("ic_resnet8/models/resnet8_int8.tflite", 0.8847),
    ],
)
def test_accuracies_are_those_of_the_readmes_within_a_few_samples(
    pytester: pytest.Pytester, reference_models: Path, name: str, accuracy: float
) -> None:
    folder = reference_models / name.partition("/")[0]
    (pytester.path / "pyproject.toml").write_text("")
    (pytester.path / "samples.py").write_text(SAMPLES.format(folder=folder))
    (pytester.path / "mcu.toml").write_text(
        f'[device]\nprofile = "stm32l4r5-tflm"\n[models.m]\npath = "{reference_models / name}"\n'
        'data = "samples:load"\n[models.m.budget]\naccuracy = 0.8\n'
    )
    pytester.runpytest_subprocess(
        "--edge-budget=mcu.toml", "--edge-budget-report=json:report.json", timeout=300
    )
    report = json.loads((pytester.path / "report.json").read_text())
    (row,) = (row for row in report["limits"] if row["metric"] == "accuracy")
    assert row["outcome"] == "kept"
    assert row["after"]["value"] == pytest.approx(accuracy, abs=0.006)


SAMPLES = """
import numpy as np

def load():
    with np.load("{folder}/data.npz") as data:
        x, y = data["x_test"], data["y_test"]
    return {{"x_test": x if x.dtype == np.int8 else x.astype(np.float32), "y_test": y}}
"""

PROGRAM = """
import sys
from pathlib import Path
from pytest_edgebudget.devices import open_device, profile_named
from pytest_edgebudget.devices.base import Samples
from pytest_edgebudget.types import DeviceChoice

device = open_device(DeviceChoice(profile=profile_named("stm32l4r5-tflm"), run="tflm"))
with device.worker("tflite") as worker:
    worker.load(Path(sys.argv[1]))
    print("running", flush=True)
    while True:
        worker.run(Samples(path=Path(sys.argv[2]), split="test"), "reset", Path(sys.argv[3]))
"""


@needs_runtime
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are found in /proc")
def test_a_run_that_is_killed_in_the_middle_leaves_no_process(tmp_path: Path) -> None:
    arguments = [str(DIGITS / "digits.tflite"), str(DIGITS / "data.npz"), str(tmp_path / "o.npz")]
    before = descendants()
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout is not None
            assert program.stdout.readline() == "running\n"
            workers = descendants() - before - {program.pid}
        finally:
            program.kill()
    assert workers
    end = time.monotonic() + 10
    while (left := [pid for pid in workers if alive(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    assert not left


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
