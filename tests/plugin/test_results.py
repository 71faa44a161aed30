"""What a run leaves behind: reports, artifacts, the lock; and the lock as a baseline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from pytest_edgebudget.report.schema import FILE as SCHEMA
from tests.plugin.conftest import BUDGET, Runner

TIGHT = BUDGET.replace('"32 KiB"', '"16 KiB"')
BOUND = BUDGET.replace('size = "32 KiB"', 'size = { max = "32 KiB", max_regression = "2 %" }')


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_reports_and_artifacts_are_written_also_when_a_budget_is_broken(
    gate: Runner, write: Callable[[str], None], project: Path, workers: tuple[str, ...]
) -> None:
    write(TIGHT)
    result = gate(
        "--edge-budget",
        "pi4.toml",
        "--edge-budget-report=json:out/report.json",
        "--edge-budget-report=markdown:out/report.md",
        "--edge-budget-artifacts=gated",
        *workers,
    )
    report = json.loads((project / "out" / "report.json").read_text())
    artifact = (project / "gated" / "pi4" / "digits.tflite").read_bytes()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    jsonschema.validate(report, json.loads(SCHEMA.read_text()))
    assert [limit["status"] for limit in report["limits"]] == ["broken", "kept", "kept"]
    assert report["models"][0]["sha256"] == hashlib.sha256(artifact).hexdigest()
    assert "| digits: int8 | size |" in (project / "out" / "report.md").read_text()


def test_the_lock_is_written_when_asked_and_its_recipe_is_tried_first(
    gate: Runner, project: Path
) -> None:
    first = gate("--edge-budget", "pi4.toml", "--edge-budget-update")
    again = gate("--edge-budget", "pi4.toml", "--edge-budget-update")
    lock = json.loads((project / "pi4.lock.json").read_text())

    first.stdout.fnmatch_lines(["wrote pi4.lock.json"])
    again.stdout.fnmatch_lines(["digits: int8 (lock)"])
    again.stdout.no_fnmatch_line("wrote *")
    assert lock["models"]["digits"]["recipe"] == "int8"
    assert lock["models"]["digits"]["readings"]["size"]["value"] == 24304


def test_a_broken_model_never_becomes_a_baseline(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    write(TIGHT)
    result = gate("--edge-budget", "pi4.toml", "--edge-budget-update")

    result.stdout.fnmatch_lines(["not locked: pi4.toml::digits does not keep its budget"])
    assert not (project / "pi4.lock.json").exists()


def test_a_growth_beyond_the_tolerance_is_broken_against_the_lock(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    write(BOUND)
    before = gate("--edge-budget", "pi4.toml")
    gate("--edge-budget", "pi4.toml", "--edge-budget-update").assert_outcomes(passed=3)
    gate("--edge-budget", "pi4.toml").assert_outcomes(passed=3)
    lock = project / "pi4.lock.json"
    lock.write_text(lock.read_text().replace("24304", "23000"))
    grown = gate("--edge-budget", "pi4.toml")

    before.assert_outcomes(passed=2, failed=1)
    before.stdout.fnmatch_lines(
        ["*the lock has no reading; check --update or --edge-budget-update writes it"]
    )
    grown.assert_outcomes(passed=2, failed=1)
    grown.stdout.fnmatch_lines(
        ["digits: size is broken: 23.7 KiB is * over what the lock allows, 22.9 KiB"]
    )


def test_a_locked_recipe_that_is_no_longer_listed_is_not_tried(
    gate: Runner, write: Callable[[str], None]
) -> None:
    gate("--edge-budget", "pi4.toml", "--edge-budget-update")
    write(BUDGET.replace('["none", "float16", "int8"]', '["none", "dynamic_int8"]'))
    result = gate("--edge-budget", "pi4.toml")

    result.stdout.fnmatch_lines(["digits: dynamic_int8"])


OWN = """
import numpy as np
import pytest

@pytest.mark.edge_budget("pi4.toml", model="digits")
def test_own(edge_model):
    data = np.load("data.npz")
    answers = edge_model.predict(data["x_test"][:50])
    assert answers.shape == (50, 10)
    assert (answers.argmax(1) == data["y_test"][:50]).mean() > 0.9
    assert edge_model.artifact.path.stat().st_size == edge_model.readings["size"].value
    assert str(edge_model.artifact.recipe) == "int8"
"""


def test_the_fixture_gives_the_artifact_that_keeps_its_budget_without_the_option(
    gate: Runner, project: Path
) -> None:
    (project / "test_own.py").write_text(OWN)

    gate("test_own.py", "--strict-markers").assert_outcomes(passed=1)


def test_the_fixture_fails_when_no_candidate_keeps_the_budget(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    write(TIGHT)
    (project / "test_own.py").write_text(OWN)
    result = gate("test_own.py")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["no candidate of digits keeps its budget: size is broken"])


def test_an_artifact_brings_the_data_files_that_are_named_in_it(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    digits = Path(__file__).parent.parent.parent / "examples" / "digits" / "digits.onnx"
    onnx.save(
        onnx.load(digits),
        project / "digits.onnx",
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=1024,
    )
    write(
        '[device]\nprofile = "raspberry-pi-4"\n[models.digits]\npath = "digits.onnx"\n'
        'data = "data.npz"\n[models.digits.budget]\nsize = "100 KiB"\naccuracy = 0.9\n'
    )
    gate("--edge-budget", "pi4.toml", "--edge-budget-artifacts=gated").assert_outcomes(passed=2)
    written = {path.name for path in (project / "gated" / "pi4" / "digits").iterdir()}

    assert written == {"digits.onnx", "weights.bin"}
    onnx.checker.check_model(project / "gated" / "pi4" / "digits" / "digits.onnx")


def test_a_candidate_that_is_worse_than_the_lock_is_rejected_in_the_search(
    gate: Runner, write: Callable[[str], None]
) -> None:
    """The lock was read on the test split, the search looks at another one."""
    text = BUDGET.replace('max_drop = "1 pp"', 'max_regression = "1 pp"').replace("0.96", "0.05")
    write(text.replace('"32 KiB"', '"64 KiB"').replace('"24 KiB"', '"64 KiB"'))
    gate("--edge-budget", "pi4.toml", "--edge-budget-update").assert_outcomes(passed=3)
    write(text.replace('["none", "float16", "int8"]', '["prune(0.8)+int8", "int8"]'))
    result = gate("--edge-budget", "pi4.toml")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["digits: int8"])


def test_a_model_of_a_broken_group_is_not_locked(
    gate: Runner, write: Callable[[str], None], project: Path
) -> None:
    write(BUDGET + '[groups.both]\nmodels = ["digits"]\nbudget = { size = "9 KiB" }\n')
    gate("--edge-budget", "pi4.toml", "--edge-budget-update").assert_outcomes(passed=3, failed=1)

    assert not (project / "pi4.lock.json").exists()


def test_models_as_they_are_are_never_locked(gate: Runner) -> None:
    result = gate("--edge-budget=pi4.toml", "--edge-budget-update", "--edge-budget-no-optimize")

    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_other_bytes_than_the_locks_are_said(gate: Runner, project: Path) -> None:
    gate("--edge-budget", "pi4.toml", "--edge-budget-update")
    lock = project / "pi4.lock.json"
    plain = json.loads(lock.read_text())
    lock.write_text(lock.read_text().replace(plain["models"]["digits"]["artifact"], "ab" * 32))
    result = gate("--edge-budget", "pi4.toml")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["  (not the bytes of the lock; *"])
