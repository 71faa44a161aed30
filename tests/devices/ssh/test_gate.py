"""A whole gate whose models run on a board: pytest, the option, the note, energy."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.cli import main
from tests.devices.ssh.conftest import DIGITS
from tests.devices.ssh.server import Server

BUDGET = """\
lint.level = "off"
[device]
profile = "raspberry-pi-4"
run = "{run}"
python = "{python}"
energy_command = ["{python}", "{meter}"]
[models.digits]
path = "digits.tflite"
data = "data.npz"
[models.digits.budget]
accuracy = 0.9
latency = "1 s"
energy = "1 J"
"""

METER = """\
# Ten watts of each CPU that the workers of this board keep busy.
import glob, os
seconds = 0.0
for path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        words = open(path, "rb").read().split(b"\\0")
        if b"-B" in words and any({cache!r}.encode() in word for word in words) and words[0] != b"sh":
            seconds += int(open(os.path.dirname(path) + "/schedstat").read().split()[0]) / 1e9
    except OSError:
        pass
print(100 + 10 * seconds, "J")
"""


@pytest.fixture
def project(pytester: pytest.Pytester, server: Server) -> Path:
    pytest.importorskip("ai_edge_litert", reason="the runtime of this test")
    for name in ("digits.tflite", "data.npz"):
        shutil.copy(DIGITS / name, pytester.path / name)
    (pytester.path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (pytester.path / "meter.py").write_text(METER.format(cache=str(server.cache)))
    return pytester.path


def budget(project: Path, run: str) -> None:
    text = BUDGET.format(run=run, python=sys.executable, meter=project / "meter.py")
    (project / "pi4.toml").write_text(text)


def readings(project: Path, pytester: pytest.Pytester, *more: str) -> dict[str, dict[str, Any]]:
    result = pytester.runpytest_subprocess(
        "-p", "no:randomly", "--edge-budget", "pi4.toml", "--edge-budget-report", "json:r.json",
        *more, timeout=300,
    )  # fmt: skip
    assert result.ret == 0
    report = json.loads((project / "r.json").read_text())
    return {limit["metric"]: limit for limit in report["limits"]}


@pytest.mark.slow
def test_a_budget_is_measured_on_the_board(
    project: Path, pytester: pytest.Pytester, server: Server
) -> None:
    budget(project, server.url)
    found = readings(project, pytester)
    assert {name: row["status"] for name, row in found.items()} == dict.fromkeys(
        ("accuracy", "latency", "energy"), "kept"
    )
    assert {row["after"]["evidence"] for row in found.values()} == {"measured"}
    latency, energy = found["latency"]["after"], found["energy"]["after"]
    assert "runs of" in latency["note"]
    assert f"what {Path(sys.executable).name} meter.py measures" in energy["note"]
    # Ten watts for as long as an inference keeps a CPU: its latency, when nobody else is there.
    assert 0.3 < energy["value"] / (10 * latency["value"]) < 1.5
    assert not list(server.cache.glob("run-*"))


def test_the_command_line_sends_the_models_to_the_board(
    project: Path, pytester: pytest.Pytester, server: Server
) -> None:
    budget(project, "host")
    result = pytester.runpytest_subprocess(
        "-p", "no:randomly", "--edge-budget", "pi4.toml", "--edge-budget-run", f"pi4={server.url}",
        timeout=300,
    )  # fmt: skip
    # The interpreter of the file is this machine's; over there it is python3.
    if result.ret == 0:
        pytest.skip("python3 of this machine has a runtime")
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(
        [
            "*running .tflite models on 127.0.0.1 needs ai-edge-litert, which is not installed*",
            f'*ssh -p {server.port} 127.0.0.1 "python3 -m pip install ai-edge-litert numpy"*',
        ]
    )


def test_a_board_that_is_not_there_is_an_error_of_each_limit_and_no_verdict(
    project: Path, pytester: pytest.Pytester
) -> None:
    budget(project, "ssh://127.0.0.1:9")
    result = pytester.runpytest_subprocess(
        "-p", "no:randomly", "--edge-budget", "pi4.toml", timeout=300
    )
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["*there is no connection to 127.0.0.1*", "*Connection refused*"])


def test_the_doctor_of_the_command_line_looks_at_the_board(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ai_edge_litert", reason="the runtime of this test")
    pytest.importorskip("onnxruntime", reason="the runtime of this test")
    asked = ["doctor", "--profile", "raspberry-pi-4", "--run", server.url]
    assert main([*asked, "--python", sys.executable]) == 0
    assert "Nothing is missing." in capsys.readouterr().out
    assert main([*asked, "--python", "/no/python"]) != 0
    said = capsys.readouterr().out
    assert "MISSING  /no/python on 127.0.0.1 (Python 3.7 or newer)" in said
    assert f"ssh -p {server.port} 127.0.0.1 sudo apt-get install python3" in said
