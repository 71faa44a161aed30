"""Who times has the machine alone; who works shares it."""

from __future__ import annotations

import select
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_edgebudget import locks

PROGRAM = """
import sys, time
from pathlib import Path
from pytest_edgebudget import locks
with getattr(locks, sys.argv[1])(Path(sys.argv[2])):
    print("in", flush=True)
    sys.stdin.read()
"""


def start(kind: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, kind, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=20)


def is_in(process: subprocess.Popen[str]) -> bool:
    assert process.stdout is not None
    return process.stdout.readline() == "in\n"


@pytest.mark.skipif(sys.platform == "win32", reason="shared locks")
def test_work_goes_on_beside_work(tmp_path: Path) -> None:
    other = start("busy", tmp_path)
    assert is_in(other)
    with locks.busy(tmp_path):
        pass
    finish(other)


@pytest.mark.skipif(sys.platform == "win32", reason="select on pipes")
@pytest.mark.parametrize(("first", "second"), [("busy", "quiet"), ("quiet", "busy")])
def test_timing_and_work_wait_for_each_other(tmp_path: Path, first: str, second: str) -> None:
    with getattr(locks, first)(tmp_path):
        other = start(second, tmp_path)
        assert other.stdout is not None
        ready, _, _ = select.select([other.stdout], [], [], 1.0)
        assert not ready
    assert is_in(other)
    finish(other)


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    other = start("quiet", tmp_path)
    assert is_in(other)
    other.kill()
    with locks.quiet(tmp_path):
        pass
    finish(other)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions")
def test_the_lock_is_for_all_users(tmp_path: Path) -> None:
    with locks.quiet(tmp_path):
        assert (tmp_path / locks.FILE).stat().st_mode & 0o777 == 0o666
