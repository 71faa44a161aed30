"""The command line as a user calls it: exit codes, what it prints, what it writes."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_edgebudget import __version__
from pytest_edgebudget.cli import main

DIGITS = Path(__file__).parent.parent / "examples" / "digits"
BUDGET = """\
[device]
profile = "raspberry-pi-4"
[models.digits]
path = "digits.tflite"
[models.digits.budget]
size = "{size}"
"""

Write = Callable[[str], None]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a user with one model."""
    (tmp_path / "pyproject.toml").write_text("")
    for name in ("digits.tflite", "data.npz"):
        shutil.copy(DIGITS / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("size", "code"), [("80 KiB", 0), ("70 KiB", 1), ("70 parsecs", 2)])
def test_check_says_by_its_exit_code_what_became_of_the_budget(
    project: Path, size: str, code: int
) -> None:
    (project / "pi4.toml").write_text(BUDGET.format(size=size))

    assert main(["check", "pi4.toml"]) == code


def test_a_runtime_that_does_not_fit_the_model_is_infrastructure(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = BUDGET.format(size="80 KiB").replace(
        "[models.digits]", 'runtime = "onnxruntime"\n[models.digits]', 1
    )
    (project / "pi4.toml").write_text(text)

    assert main(["check", "pi4.toml"]) == 3
    assert "the device runs .onnx" in capsys.readouterr().err


def test_check_prints_json_alone_on_standard_output(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pi4.toml").write_text(BUDGET.format(size="70 KiB"))

    assert (
        main(["check", "pi4.toml", "--format=json", "--report=markdown:r.md", "--artifacts=a"]) == 1
    )
    assert json.loads(capsys.readouterr().out)["limits"][0]["status"] == "broken"
    assert (project / "r.md").exists()
    assert (project / "a" / "pi4" / "digits.tflite").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "pi5.toml"], "pi5.toml: no such file or folder"),
        (["explain", "latensy"], "did you mean latency?"),
        (["init", "digits.tflite", "--profile", "pi9"], "there is no device profile pi9"),
        (["init", "digits.tflite", "-o", "data.npz"], "data.npz exists"),
        (["init", "digits.tflite", "-o", "data.npz/x.toml"], "data.npz/x.toml cannot be written"),
        (["init", "nothing.tflite"], "nothing.tflite"),
        (["check", "a" * 5000 + ".toml"], "no such file or folder"),
        (["explain", "a" * 5000 + ".tflite"], "cannot be read (File name too long)"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("model", ["digits.tflite", "mine:model"])
def test_init_writes_a_budget_that_the_models_keep(project: Path, model: str) -> None:
    pytest.importorskip("ai_edge_litert", reason="accuracy is read by running the model")
    (project / "mine.py").write_text("def model():\n    return 'digits.tflite'\n")

    assert main(["init", model, "--data=data.npz", "--profile=raspberry-pi-4"]) == 0
    text = (project / "budgets" / "raspberry-pi-4.toml").read_text()
    assert "accuracy = 0.97   # now 98.89 %, host" in text
    assert main(["check", "budgets"]) == 0


@pytest.mark.parametrize(
    ("profile", "distribution", "run", "limited"),
    [
        ("coral-usb-accelerator", "ai_edge_litert", "edge-tpu", {"cpu_fallback", "off_chip"}),
        ("ethos-u55-128", "ethosu", "vela", {"cpu_fallback"}),
        ("pynq-z2", "hls4ml", "hls4ml", set()),
    ],
)
def test_init_limits_what_the_profiles_own_way_to_run_tells(
    project: Path, profile: str, distribution: str, run: str, limited: set[str]
) -> None:
    pytest.importorskip(distribution, reason="the device's own tool tells")
    if run == "hls4ml":
        shutil.copy(DIGITS.parent / "tumours" / "tumours.keras", project)
    model = "tumours.keras" if run == "hls4ml" else "digits.tflite"

    assert main(["init", model, f"--profile={profile}"]) == 0
    file = project / "budgets" / f"{profile}.toml"
    written = tomllib.loads(file.read_text())
    assert written["device"]["run"] == run
    (only,) = written["models"].values()
    accelerated = {"cpu_fallback", "off_chip", "npu_cycles", "npu_sram"}
    assert accelerated & only["budget"].keys() == limited
    assert ("optimize" in only) == (run == "hls4ml")
    assert "float16" not in file.read_text()  # no kernel there has weights of half precision
    assert main(["lint", str(file), "--format=json"]) != 2  # no mistake in it


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("latency", ["The median time of the invoke alone"]),
        ("prune(0.3)+int8", ["prune\n", "int8\n\nWeights and activations in int8"]),
    ],
)
def test_explain_prints_the_definition(
    capsys: pytest.CaptureFixture[str], name: str, texts: list[str]
) -> None:
    assert main(["explain", name]) == 0
    out = capsys.readouterr().out
    assert all(text in out for text in texts)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[device]\nprofile = "host"\n[model.a]\n', 'broken.toml:3: model: unknown key "model"'),
        ("", "broken.toml:1: there is no limit in this file"),
        ("[models.a\n", "broken.toml:1: not TOML"),
        (
            "extends = 'broken.toml'\n",
            "broken.toml:1: extends: files extend each other in a circle",
        ),
    ],
)
@pytest.mark.parametrize("command", ["check", "lint"])
def test_no_command_leaves_a_broken_file_out_of_a_folder_of_budgets(
    project: Path, capsys: pytest.CaptureFixture[str], command: str, content: str, message: str
) -> None:
    (project / "budgets").mkdir()
    text = BUDGET.format(size="80 KiB").replace('"digits.tflite"', '"../digits.tflite"')
    (project / "budgets" / "pi4.toml").write_text(text)
    (project / "budgets" / "broken.toml").write_text(content)

    assert main([command, "budgets"]) == 2
    printed = "".join(capsys.readouterr()).replace("EB100 error: ", "")
    assert f"budgets/{message}" in printed


@pytest.mark.parametrize("command", ["check", "lint", "explain"])
def test_an_empty_path_is_a_variable_that_was_not_set(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, ""])
    assert ended.value.code == 2
    assert "it is empty: is a variable not set?" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a file of Linux")
@pytest.mark.parametrize("command", [["lint"], ["explain"], ["lint", "--format=json"]])
@pytest.mark.parametrize(
    ("output", "reason"),
    [(">/dev/full", "No space left on device"), (">&-", "standard output is closed")],
)
def test_output_that_cannot_be_written_is_one_sentence_and_exit_code_3(
    project: Path, command: list[str], output: str, reason: str
) -> None:
    program = "import sys; from pytest_edgebudget.cli import main; sys.exit(main())"
    arguments = [sys.executable, "-c", program, *command, "digits.tflite"]
    line = shlex.join(arguments)
    done = subprocess.run(
        ["sh", "-c", f"{line} {output}"], cwd=project, capture_output=True, text=True, check=False
    )

    assert done.returncode == 3
    assert done.stderr == f"error: the output cannot be written: {reason}\n"


def test_a_name_cannot_steer_the_terminal_by_way_of_an_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["explain", "\033[31m.tflite"]) == 2
    assert capsys.readouterr().err.startswith(r"error: \x1b[31m.tflite: cannot be read")


def test_devices_lists_the_boards(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices"]) == 0
    assert "\nraspberry-pi-4 " in capsys.readouterr().out


def test_the_cache_is_counted_and_cleared(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pi4.toml").write_text(BUDGET.format(size="80 KiB"))
    main(["check", "pi4.toml"])
    capsys.readouterr()

    assert main(["cache", "info"]) == 0
    assert "(limit 2.00 GiB)" in capsys.readouterr().out
    assert main(["cache", "clear"]) == 0
    assert "removed" in capsys.readouterr().out
    main(["cache", "info"])
    assert ": 0 entries" in capsys.readouterr().out


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"edgebudget {__version__}\n"
