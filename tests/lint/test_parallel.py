"""Many models on all cores: the same results, in order, and no silent loss."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest

from pytest_edgebudget.lint import families, parallel
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from tests.lint.conftest import DIGITS, Lint


def pid(model: ModelFile) -> Iterable[Finding]:
    yield Finding(f"looked at by {os.getpid()}")


def deadly(model: ModelFile) -> Iterable[Finding]:
    """Ends the process that meets one model, as a bug in a library might."""
    if model.path.name == "m07.tflite":
        os.kill(os.getpid(), signal.SIGKILL)
    yield Finding("looked at")


def use(monkeypatch: pytest.MonkeyPatch, check: object) -> None:
    rule = Rule(
        code="TEST001",
        name="test",
        severity=Severity.NOTE,
        needs=ModelFile,
        check=check,  # type: ignore[arg-type]
    )
    monkeypatch.setattr(families, "added", lambda: (rule,))
    monkeypatch.setattr(parallel, "cores", lambda: 2)


@pytest.fixture
def models(project: Path) -> int:
    """More models than one process is asked to do alone."""
    folder = project / "models"
    folder.mkdir()
    count = parallel.FEW + 8
    for number in range(count):
        shutil.copy(DIGITS / "digits.tflite", folder / f"m{number:02}.tflite")
    return count


def test_many_models_are_looked_at_by_several_processes_in_order(
    lint: Lint, models: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, pid)

    _, out, _ = lint("models", "--select=TEST")

    lines = out.splitlines()[:-1]
    assert [line.partition(":")[0] for line in lines] == [
        f"models/m{number:02}.tflite" for number in range(models)
    ]
    processes = {line.split()[-1] for line in lines}
    assert len(processes) == 2
    assert str(os.getpid()) not in processes


def test_few_models_are_looked_at_here(
    lint: Lint, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, pid)
    shutil.copy(DIGITS / "digits.onnx", project / "digits.onnx")

    _, out, _ = lint("digits.tflite", "digits.onnx", "--select=TEST")

    assert out.count(f"looked at by {os.getpid()}\n") == 2


def test_large_models_are_shared_out_even_when_they_are_few(
    lint: Lint, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, pid)
    monkeypatch.setattr(parallel, "SMALL", 100_000)
    shutil.copy(DIGITS / "digits.onnx", project / "digits.onnx")

    _, out, _ = lint("digits.tflite", "digits.onnx", "--select=TEST")

    assert f"looked at by {os.getpid()}\n" not in out


def test_a_process_that_is_killed_is_reported_with_the_model_that_ended_it(
    lint: Lint, models: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, deadly)

    code, out, _ = lint("models", "--select=TEST")

    assert code == 3
    assert out.count("TEST001 note: looked at\n") == models - 1
    assert [line for line in out.splitlines() if line.startswith("internal error")] == [
        "internal error: models/m07.tflite: the process that looked at it was killed"
    ]
