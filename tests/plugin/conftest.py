"""A project of a user's: the digits, a budget, and pytest in a process of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

DIGITS = Path(__file__).parent.parent.parent / "examples" / "digits"

BUDGET = """\
lint.level = "off"
[device]
profile = "raspberry-pi-4"
[models.digits]
path = "digits.tflite"
data = "data.npz"
optimize = ["none", "float16", "int8"]

[models.digits.budget]
size = "32 KiB"
download_size = "24 KiB"
accuracy = { min = 0.96, max_drop = "1 pp" }
"""
"""Limits only: the linter's items have tests of their own (test_lint.py)."""

Runner = Callable[..., pytest.RunResult]


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one test built, the next one need not build again."""
    pytest.importorskip("ai_edge_litert", reason="the gate's runs need the extra litert")
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def project(pytester: pytest.Pytester, shared_cache: Path) -> Path:
    """A folder with the digits and `pi4.toml`, which int8 keeps and the float model breaks."""
    for name in ("digits.tflite", "data.npz"):
        shutil.copy(DIGITS / name, pytester.path / name)
    (pytester.path / "pyproject.toml").write_text(
        f'[tool.edgebudget]\ncache = "{shared_cache}"\n[tool.pytest.ini_options]\n'
    )
    (pytester.path / "pi4.toml").write_text(BUDGET)
    return pytester.path


@pytest.fixture
def gate(pytester: pytest.Pytester, project: Path) -> Runner:
    """Run pytest in the project as a user does, in a fixed order."""

    def run(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess("-p", "no:randomly", *arguments, timeout=300)

    return run


@pytest.fixture
def write(project: Path) -> Callable[[str], None]:
    """Replace `pi4.toml`; without a lint item, unless the text has a table for it."""

    def write(text: str) -> None:
        off = "" if "lint" in text else '\n[lint]\nlevel = "off"\n'
        (project / "pi4.toml").write_text(text + off)

    return write
