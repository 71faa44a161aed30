"""What a run of the linter costs: imports, and time and memory of hostile files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lint.conftest import DIGITS, HEAD

LOADED = """
import sys
from pytest_edgebudget.cli import main
main(sys.argv[1:])
print(*sorted(sys.modules), sep="\\n", file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    """The modules that a run of the command has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "lint", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    return set(done.stderr.splitlines())


@pytest.mark.usefixtures("project")
def test_a_bare_model_costs_the_import_of_what_it_needs_and_no_more() -> None:
    modules = loaded("digits.tflite")

    ours = {name.removeprefix("pytest_edgebudget.") for name in modules}
    assert "lint.structure" in ours
    assert not {"budget", "devices", "graph.onnx", "lint.budgets", "lint.devices"} & ours
    assert not {"numpy", "pytest", "pluggy", "importlib.metadata", "multiprocessing"} & modules


@pytest.mark.usefixtures("project")
def test_a_model_on_a_device_costs_no_import_of_numpy_or_budget_files() -> None:
    modules = loaded("digits.tflite", "--profile=raspberry-pi-4")

    assert "pytest_edgebudget.lint.devices" in modules
    assert not {"numpy", "pluggy", "pytest_edgebudget.budget"} & modules


def test_a_budget_file_without_readable_models_loads_no_rules_about_models(project: Path) -> None:
    shutil.copy(DIGITS / "digits.keras", project / "digits.keras")
    text = HEAD.replace("digits.tflite", "digits.keras") + 'size = "16 KiB"\n'
    (project / "pi4.toml").write_text(text)

    modules = loaded("pi4.toml")

    assert "pytest_edgebudget.lint.budgets" in modules
    assert "pytest_edgebudget.lint.structure" not in modules
    assert "numpy" not in modules


# --- hostile files ---


def _hostile(folder: Path) -> None:
    """Files that would take long, or all memory, to read."""
    for name in ("sparse.tflite", "sparse.onnx", "sparse.toml"):
        with (folder / name).open("wb") as stream:
            stream.truncate(3 << 30)
    with (folder / "more.toml").open("wb") as stream:
        stream.write(b"[models.a]\n")
        stream.truncate(64 << 20)
    (folder / "deep.toml").write_text("[models.a]\nb = " + "[" * 100_000)
    for name in ("zero.tflite", "zero.onnx", "zero.toml"):
        (folder / name).symlink_to("/dev/zero")
    for name in ("pipe.tflite", "pipe.toml"):
        os.mkfifo(folder / name)


@pytest.mark.parametrize(
    "name",
    [
        *("sparse.tflite", "sparse.onnx", "sparse.toml", "more.toml", "deep.toml"),
        *("zero.tflite", "zero.onnx", "zero.toml", "pipe.tflite", "pipe.toml"),
    ],
)
def test_a_hostile_file_costs_neither_time_nor_memory(tmp_path: Path, name: str) -> None:
    _hostile(tmp_path)

    code, seconds, memory = _cost(tmp_path, name)

    assert code == 2
    assert seconds < 1  # of the processor: the machine may be busy with other things
    assert memory < 200 << 20


def test_a_folder_of_hostile_files_costs_neither_time_nor_memory(tmp_path: Path) -> None:
    _hostile(tmp_path)

    code, seconds, memory = _cost(tmp_path, ".")

    assert code == 2
    assert seconds < 2
    assert memory < 200 << 20


COST = """
import sys, time
from pytest_edgebudget.cli import main
code = main(sys.argv[1:])
seconds = time.process_time()
(peak,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(code, seconds, int(peak) * 1024, file=sys.stderr)
"""


def _cost(folder: Path, path: str) -> tuple[int, float, int]:
    """Exit code, seconds of the processor, and the most bytes of memory."""
    if not Path("/proc/self/status").exists():
        pytest.skip("the system keeps no book of a process's peak memory")
    done = subprocess.run(
        [sys.executable, "-c", COST, "lint", path],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
    )
    number, seconds, memory = done.stderr.split()
    return int(number), float(seconds), int(memory)
