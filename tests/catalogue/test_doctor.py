"""edgebudget doctor: what is there, and what brings the rest."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

import flatbuffers
import pluggy
import pytest

import pytest_edgebudget
from pytest_edgebudget.cli import main

ROOT = Path(__file__).parents[2]


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["doctor", *words])
    return code, capsys.readouterr().out


def test_this_machine_is_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(capsys)
    assert code == 0
    assert "ok       Python 3." in text
    assert "\nPrograms\n" in text


def test_the_devices_of_budget_files_are_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(capsys, str(ROOT / "budgets" / "pi4.toml"))
    assert "pi4.toml: raspberry-pi-4, run host" in text
    assert text.endswith("Nothing is missing.\n") is (code == 0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no.toml"], "no.toml: no such file or folder"),
        (["--profile", "rasberry-pi-4"], "did you mean raspberry-pi-4?"),
    ],
)
def test_a_wrong_question_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["doctor", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_way_that_is_not_there_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(capsys, "--run", "hyperspace")
    assert code == 3
    assert "MISSING" in text
    assert "there is no such way to run a model" in text


def test_a_wrong_budget_file_is_told_with_all_its_mistakes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    budget = tmp_path / "b.toml"
    budget.write_text('[device]\nprofile = "hots"\nthreads = 0\n')
    assert main(["doctor", str(budget)]) == 2
    said = capsys.readouterr().err
    assert "did you mean host?" in said
    assert "b.toml:2" in said


def test_a_bare_machine_is_told_what_to_install(tmp_path: Path) -> None:
    """An environment with nothing but what pip brings along for the core."""
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=False)
    (folder,) = (bare / "lib").glob("python3.*")
    for module in (pytest_edgebudget, pluggy, flatbuffers):
        package = Path(module.__file__).parent
        (folder / "site-packages" / package.name).symlink_to(package)
    code = "import sys; from pytest_edgebudget.cli import main; sys.exit(main(['doctor']))"
    done = subprocess.run(
        [bare / "bin" / "python", "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": ""},
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert "ai-edge-litert is not installed" in done.stdout
    assert "pip install 'pytest-edgebudget[litert]'" in done.stdout
    assert done.returncode == 0
