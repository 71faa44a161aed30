"""Parts are there as a whole or not at all, and one process at a time makes them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_edgebudget.devices.emulated.parts import Parts, sha256_of

SLOW = """
import sys, time
from pathlib import Path
from pytest_edgebudget.devices.emulated.parts import Parts

def fill(folder):
    (folder / "half").write_text("half")
    print("filling", flush=True)
    time.sleep(float(sys.argv[2]))
    return {"half": "0"}

parts = Parts(Path(sys.argv[1]))
with parts.locked(lambda text: print(text, flush=True)):
    parts.make("one", fill)
print("made", flush=True)
"""


def fill(folder: Path) -> Mapping[str, str]:
    (folder / "file").write_text("whole")
    return {"file": sha256_of(folder / "file")}


def start(folder: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SLOW, str(folder), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_part_keeps_what_it_was_made_of(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    parts.make("one", fill)
    assert parts.has("one")
    assert parts.names() == ("one",)
    assert (parts.path("one") / "file").read_text() == "whole"
    assert parts.sources("one") == {"file": sha256_of(parts.path("one") / "file")}
    assert parts.size("one") == 5


def test_a_part_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    parts.make("one", fill)
    parts.make("one", lambda folder: pytest.fail("it is there"))
    assert parts.names() == ("one",)


def test_what_failed_half_way_is_no_part(tmp_path: Path) -> None:
    def fails(folder: Path) -> Mapping[str, str]:
        (folder / "half").write_text("half")
        raise OSError("disk full")

    parts = Parts(tmp_path)
    with pytest.raises(OSError, match="disk full"):
        parts.make("one", fails)
    assert parts.names() == ()
    parts.make("one", fill)
    assert [it.name for it in parts.path("one").iterdir()] == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_a_killed_install_leaves_nothing_that_is_believed_and_no_lock(tmp_path: Path) -> None:
    killed = start(tmp_path, 60)
    assert line(killed) == "filling"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    parts = Parts(tmp_path)
    assert parts.names() == ()
    with parts.locked(pytest.fail):
        assert list((tmp_path / "parts").iterdir()) == []  # what was left is swept
        parts.make("one", fill)
    assert parts.names() == ("one",)


def test_a_second_install_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    first = start(tmp_path, 1.5)
    assert line(first) == "filling"
    began = time.monotonic()
    second = start(tmp_path, 0)
    assert line(second) == "another install is at work: waiting for it to end"
    assert line(second) == "made"  # it found the part of the first one
    assert time.monotonic() - began > 1
    assert line(first) == "made"
    assert (first.communicate()[0], second.communicate()[0]) == ("", "")


def test_parts_that_another_board_needs_stay(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    for name in ("root", "wheel", "other"):
        parts.make(name, fill)
    parts.note("pi", ["root", "wheel"])
    parts.note("zero", ["root"])
    assert parts.needed() == {"pi": ("root", "wheel"), "zero": ("root",)}
    unneeded = parts.forget("pi")
    assert unneeded == ("other", "wheel")
    parts.remove(unneeded)
    assert parts.names() == ("root",)
    assert parts.needed() == {"zero": ("root",)}
