"""The committed budgets, their locks and the examples, as the README promises them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def checkout(pytester: pytest.Pytester) -> Path:
    """A copy of what the budgets need: the cache must not land in the project."""
    pytest.importorskip("ai_edge_litert", reason="the budgets run in LiteRT")
    pytest.importorskip("onnxruntime", reason="pi5.toml has a model in ONNX")
    pytest.importorskip("ethosu.vela", reason="ethos-u55.toml needs pytest-edgebudget[ethos-u]")
    shutil.copytree(ROOT / "budgets", pytester.path / "budgets")
    shutil.copytree(ROOT / "examples", pytester.path / "examples")
    (pytester.path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    return pytester.path


@pytest.mark.slow
def test_the_committed_budgets_are_kept_by_what_their_locks_say(
    checkout: Path, pytester: pytest.Pytester
) -> None:
    result = pytester.runpytest_subprocess(
        "--edge-budget=budgets", "--edge-budget-report=json:report.json", timeout=500
    )
    report = json.loads((checkout / "report.json").read_text())

    assert result.ret == pytest.ExitCode.OK
    for model in report["models"]:
        lock = json.loads((checkout / model["file"]).with_suffix(".lock.json").read_text())
        assert model["recipe"] == lock["models"][model["name"]]["recipe"]
        assert [trial["from_lock"] for trial in model["trials"]] == [True]


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
