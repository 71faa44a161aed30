"""A user's working folder with a model, its data, and a way to run the command."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_edgebudget.cli import main

DIGITS = Path(__file__).parent.parent.parent / "examples" / "digits"
HEAD = """\
[device]
profile = "raspberry-pi-4"

[models.digits]
path = "digits.tflite"
data = "data.npz"

[models.digits.budget]
"""

Lint = Callable[..., tuple[int, str, str]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, which is the current one."""
    for name in ("digits.tflite", "data.npz"):
        shutil.copy(DIGITS / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def lint(capsys: pytest.CaptureFixture[str]) -> Lint:
    """Run ``edgebudget lint``: exit code, output, errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["lint", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
