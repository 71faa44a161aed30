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
from pytest_edgebudget.devices import host

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


@pytest.mark.parametrize(
    ("name", "code"), [("digits.tflite", 0), ("diabetes.onnx", 3), ("diabetes.keras", 0)]
)
def test_a_budget_misses_only_what_its_own_models_need(
    name: str,
    code: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(
        host, "installed", lambda distribution, python: distribution == "ai-edge-litert"
    )
    model = ROOT / "examples" / Path(name).stem / name
    budget = tmp_path / "b.toml"
    budget.write_text(
        f'[device]\nprofile = "raspberry-pi-4"\n[models.m]\npath = "{model}"\n'
        '[models.m.budget]\nsize = "1 MiB"\n'
    )
    found, text = told(capsys, str(budget))
    assert found == code
    assert ("MISSING  onnxruntime is not installed (for .onnx models)" in text) is (code == 3)
    assert "tflite-runtime" not in text


def test_what_some_models_need_is_told_where_no_model_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        host, "installed", lambda distribution, python: distribution == "ai-edge-litert"
    )
    code, text = told(capsys, "--profile", "raspberry-pi-4", "--run", "host")
    assert code == 0
    assert "-        onnxruntime is not installed (for .onnx models)" in text
