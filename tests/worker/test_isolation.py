"""The worker stands alone: no library of ours, no TensorFlow, old Pythons."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worker.talk import FOLDER, Talk

FILES = sorted(FOLDER.rglob("*.py"))
LIBRARIES = {
    *("numpy", "ai_edge_litert", "tflite_runtime", "onnxruntime", "tflite_micro"),
    *("keras", "tflite", "tosa_converter_for_tflite"),
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FOLDER)))
def test_its_files_are_python_3_9_and_import_the_standard_library_numpy_or_a_runtime(
    file: Path,
) -> None:
    tree = ast.parse(file.read_text(), feature_version=(3, 9))
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.add(str(node.module).split(".")[0])
    assert imported <= set(sys.stdlib_module_names) | LIBRARIES


def test_a_copy_of_the_folder_under_another_name_works(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the runtime of this test")
    copy = tmp_path / "copied"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with Talk(copy) as talk:
        loaded = talk.open("onnxruntime", copy / "warm.onnx")
    assert [port["name"] for port in loaded["inputs"]] == ["x"]
    assert not list(copy.rglob("__pycache__"))


def test_what_a_runtime_prints_or_reads_does_not_break_the_protocol() -> None:
    program = f"""
import os, subprocess, sys
sys.path.insert(0, {str(FOLDER.parent.parent)!r})
from pytest_edgebudget.worker.channel import Channel
channel = Channel()
for request in channel.requests():
    print("chatter from Python")
    os.write(1, b"chatter from C\\n")
    subprocess.run(["echo", "chatter from a child"])
    channel.reply([request["op"], sys.stdin.read(), os.read(0, 10).decode()])
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input='{"op": "one"}\n{"op": "two"}\n',
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == '{"ok": ["one", "", ""]}\n{"ok": ["two", "", ""]}\n'
    assert done.stderr.count("chatter from C") == 2


def test_it_ends_when_its_parent_closes_the_pipe() -> None:
    with Talk() as talk:
        pass
    assert talk.process.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_is_left_to_its_parent() -> None:
    with Talk() as talk:
        talk.ask("nothing")
        talk.process.send_signal(signal.SIGINT)
        assert "error" in talk.ask("nothing")


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="alarm(2)")
def test_a_hang_without_a_parent_ends_by_the_alarm() -> None:
    program = f"""
import sys, time
sys.path.insert(0, {str(FOLDER.parent.parent)!r})
from pytest_edgebudget.worker import channel
channel.GRACE = 0
for request in channel.Channel().requests():
    time.sleep(60)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input='{"op": "hang", "limit": 1}\n',
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == -signal.SIGALRM


def test_unknown_operations_and_runtimes_are_refused_by_name() -> None:
    with Talk() as talk:
        assert talk.ask("fly")["error"] == {
            "kind": "request",
            "message": "unknown operation 'fly'",
            "hint": "known: hello, load, run, time, count, memory, arena, placement",
        }
        assert talk.ask("hello", runtime="tvm")["error"]["message"] == "unknown runtime 'tvm'"
        assert talk.ask("time", runs=1, warmup=0)["error"]["message"] == "no model: load one first"
