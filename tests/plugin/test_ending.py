"""A run that is told to end in its middle leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

SLOW = """
import os, time
def model():
    with open("busy", "w") as file:
        file.write(str(os.getpid()))
    time.sleep(120)
"""
BUDGET = """
[device]
profile = "host"
[models.m]
path = "slow:model"
[models.m.budget]
size = "1 MiB"
"""


def wait_for(path: Path) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and (text := path.read_text()):
            return int(text)
        time.sleep(0.05)
    raise AssertionError(f"{path} was not written")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["pytest", "--edge-budget", "m.toml", "-q"], pytest.ExitCode.INTERRUPTED),
        (["edgebudget", "check", "m.toml"], 3),
    ],
    ids=["pytest", "check"],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_run_that_is_told_to_end_takes_workers_and_temporary_folders_with_it(
    tmp_path: Path, number: signal.Signals, arguments: Sequence[str], code: int
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "m.toml").write_text(BUDGET)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    # A shell that starts it in the background has SIGINT ignored.
    program = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
    program += "from pytest import console_main as pytest;"
    program += "from pytest_edgebudget.cli import main as edgebudget;"
    program += "name = sys.argv.pop(1); sys.exit(globals()[name]())"
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        worker = wait_for(tmp_path / "busy")
        run.send_signal(number)
        assert run.wait(30) == code
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    assert [path.name for path in temporary.glob("edgebudget-*")] == []
