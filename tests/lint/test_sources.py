"""A source model that its budget optimizes is no error on the device: another file ships."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_edgebudget.cli import main

DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.tflite"
BUDGET = """\
[device]
profile = "ethos-u55-128"

[models.digits]
path = "digits.tflite"
{optimize}
[models.digits.budget]
size = "128 KiB"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(DIGITS, tmp_path / "digits.tflite")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lint(project: Path, capsys: pytest.CaptureFixture[str], **budgets: str) -> tuple[int, str]:
    for name, optimize in budgets.items():
        (project / f"{name}.toml").write_text(BUDGET.format(optimize=optimize))
    code = main(["lint", *(f"{name}.toml" for name in budgets), "--select", "EB401"])
    return code, capsys.readouterr().out


def test_it_is_an_error_as_it_is(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = lint(project, capsys, plain="")
    assert code == 1
    assert "EB401 error: " in text


def test_it_is_a_note_when_recipes_make_another_file(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = lint(project, capsys, quantized='optimize = ["weights_int8"]')
    assert code == 0
    assert "EB401 note: " in text
    assert "this is the source model, the gate looks at what optimize makes" in text


def test_one_budget_that_ships_it_as_it_is_makes_it_an_error(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = lint(project, capsys, plain="", quantized='optimize = ["weights_int8"]')
    assert code == 1
    assert "EB401 error: " in text


def test_the_budgets_of_the_project_have_no_errors(capsys: pytest.CaptureFixture[str]) -> None:
    root = DIGITS.parents[2]
    assert main(["lint", str(root / "budgets")]) == 0
    assert " error: " not in capsys.readouterr().out
