"""The committed budgets, their locks and the examples, as the README promises them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pytest_edgebudget.budget import read_budget
from pytest_edgebudget.catalogue.offers import stops
from pytest_edgebudget.devices.debian import data_folder
from pytest_edgebudget.devices.ways import way_named
from pytest_edgebudget.extensions import command_line_manager, registry_of

ROOT = Path(__file__).parent.parent.parent


CLASSES = {
    *("pi3", "pi4", "pi5", "pi-zero-2w", "stm32l4", "stm32h7", "esp32s3", "ethos-u55"),
    *("ethos-u85", "coral-usb", "jetson-nano", "gpu", "fpga"),
}
DATA = str(data_folder())  # pytester has a home of its own
BUDGETS = sorted((ROOT / "budgets").glob("*.toml"))


@pytest.fixture
def checkout(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the budgets need: the cache must not land in the project."""
    pytest.importorskip("ai_edge_litert", reason="the budgets run in LiteRT")
    shutil.copytree(ROOT / "budgets", pytester.path / "budgets")
    shutil.copytree(ROOT / "examples", pytester.path / "examples")
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path / "cache"))
    monkeypatch.setenv("EDGEBUDGET_DATA", DATA)
    (pytester.path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    return pytester.path


def lacks(budget: Path) -> str:
    """What is missing here for the device of a budget file; empty when nothing is."""
    registry = registry_of(command_line_manager())
    choice = read_budget(budget, registry, root=ROOT).device
    way = way_named(choice.way)
    missing = way.lacks(choice)
    if not stops(missing, way.open(choice).formats):
        return ""
    return "; ".join(f"{lack.what}: {lack.command}" for lack in missing)


@pytest.mark.slow
@pytest.mark.parametrize("name", [path.name for path in BUDGETS])
def test_the_committed_budgets_are_kept_by_what_their_locks_say(
    name: str, checkout: Path, pytester: pytest.Pytester
) -> None:
    if missing := lacks(ROOT / "budgets" / name):
        pytest.skip(missing)
    if name == "pi5.toml":
        pytest.importorskip("onnxruntime", reason="pi5.toml has a model in ONNX")
    result = pytester.runpytest_subprocess(
        f"--edge-budget=budgets/{name}", "--edge-budget-report=json:report.json", timeout=500
    )
    report = json.loads((checkout / "report.json").read_text())

    assert result.ret == pytest.ExitCode.OK
    for model in report["models"]:
        lock = json.loads((checkout / model["file"]).with_suffix(".lock.json").read_text())
        assert model["recipe"] == lock["models"][model["name"]]["recipe"]
        assert [trial["from_lock"] for trial in model["trials"]] == [True]


def test_there_is_a_budget_for_each_class_of_device() -> None:
    assert {path.stem for path in BUDGETS} >= CLASSES


@pytest.mark.usefixtures("checkout")
def test_the_float_models_break_the_budgets_of_the_pi_4(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess(
        "--edge-budget=budgets/pi4.toml", "--edge-budget-no-optimize", timeout=300
    )

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines_random(
        ["digits: size is broken: 75.1 KiB *", "tumours: size is broken: 18.0 KiB *"]
    )


@pytest.mark.usefixtures("checkout")
def test_ones_own_tests_run_on_the_model_that_fits(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("examples/own_tests", "--strict-markers", timeout=300)

    result.assert_outcomes(passed=3)
