from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from pytest_edgebudget.errors import BuildError, MissingExtra, ModelError
from pytest_edgebudget.jobs import JSON, run

MODULE = """
import os, signal, subprocess, sys, tempfile, time
from pytest_edgebudget.errors import BuildError, MissingExtra, ModelError

def double(payload):
    print("chatter on stdout")
    return {"value": 2 * payload["value"]}

class Group:
    @staticmethod
    def inside(payload):
        return payload

def die(payload):
    sys.stderr.write("converting op 7\\n")
    sys.stderr.flush()
    os.kill(os.getpid(), payload["signal"])

def leave(payload):
    os._exit(3)

def fail(payload):
    raise ValueError("the scale is zero")

def missing(payload):
    raise MissingExtra("onnx", "onnx", "reading ONNX")

def not_model(payload):
    raise ModelError("no model", "look again")

def not_built(payload):
    raise BuildError("not built", "try int8")

def not_json(payload):
    return {1, 2}

def read_stdin(payload):
    return sys.stdin.read()

def tells(payload):
    with open(payload["progress"], "a") as file:
        for number in range(1000):
            file.write(f"sample {number}\\n")
        file.write("half a line")

def hang(payload):
    tempfile.mkdtemp(prefix="edgebudget-")
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with open(payload["pids"], "w") as file:
        file.write(f"{os.getpid()} {child.pid}")
    time.sleep(60)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "chores.py").write_text(MODULE)
    return tmp_path


def call(root: Path, function: str, payload: dict[str, JSON] | None = None, timeout: float = 30.0):
    return run(
        f"chores:{function}", payload or {}, root=root, timeout=timeout, purpose="doing chores"
    )


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 10
    while any(running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(running(pid) for pid in pids)


def wait_for_pids(file: Path) -> list[int]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if file.exists() and len(words := file.read_text().split()) == 2:
            return [int(word) for word in words]
        time.sleep(0.05)
    raise AssertionError("the job did not start")


def test_a_job_returns_what_the_function_returned(root: Path) -> None:
    assert call(root, "double", {"value": 21}) == {"value": 42}


def test_a_job_reaches_a_function_inside_a_class(root: Path) -> None:
    assert call(root, "Group.inside", {"a": [1, None, "x"]}) == {"a": [1, None, "x"]}


def test_a_job_does_not_see_the_pipe_that_carries_its_request(root: Path) -> None:
    assert call(root, "read_stdin") == ""


def test_a_job_imports_what_the_parent_can_import(
    root: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("src")
    (elsewhere / "helpers_of_mine.py").write_text("def f(payload): return 'found'\n")
    monkeypatch.syspath_prepend(elsewhere)
    assert run("helpers_of_mine:f", {}, root=root, timeout=30, purpose="importing") == "found"


def test_each_whole_line_of_progress_is_heard_also_what_is_said_last(root: Path) -> None:
    heard: list[str] = []
    run("chores:tells", {}, root=root, timeout=30, purpose="telling", say=heard.append)
    assert heard == [f"sample {number}" for number in range(1000)]


@pytest.mark.parametrize(("number", "name"), [(11, "SIGSEGV"), (6, "SIGABRT"), (9, "SIGKILL")])
def test_a_killed_job_is_an_error_that_names_the_signal(root: Path, number: int, name: str) -> None:
    with pytest.raises(BuildError) as caught:
        call(root, "die", {"signal": number})
    assert caught.value.message == f"killed by {name} ({number}) while doing chores"


def test_a_crash_shows_the_last_words_of_the_process(root: Path) -> None:
    with pytest.raises(BuildError) as caught:
        call(root, "die", {"signal": 11})
    assert caught.value.hint == "converting op 7"


def test_a_job_that_exits_is_an_error_that_names_the_status(root: Path) -> None:
    with pytest.raises(BuildError, match="exit status 3 while doing chores"):
        call(root, "leave")


def test_an_exception_is_one_sentence_and_the_users_line(root: Path) -> None:
    with pytest.raises(BuildError) as caught:
        call(root, "fail")
    assert caught.value.message == "while doing chores: ValueError: the scale is zero"
    line = MODULE.splitlines().index('    raise ValueError("the scale is zero")') + 1
    assert caught.value.hint == (
        f'at {root}/chores.py:{line}, in fail: raise ValueError("the scale is zero")'
    )


def test_our_own_errors_cross_with_their_hints(root: Path) -> None:
    with pytest.raises(MissingExtra) as missing:
        call(root, "missing")
    assert str(missing.value) == str(MissingExtra("onnx", "onnx", "reading ONNX"))
    with pytest.raises(ModelError) as model:
        call(root, "not_model")
    assert (model.value.message, model.value.hint) == ("no model", "look again")
    with pytest.raises(BuildError) as built:
        call(root, "not_built")
    assert (built.value.message, built.value.hint) == ("not built", "try int8")


def test_a_result_that_is_not_json_is_an_error(root: Path) -> None:
    with pytest.raises(BuildError, match="TypeError: Object of type set is not JSON"):
        call(root, "not_json")


def test_a_misspelt_function_is_answered_with_the_right_name(root: Path) -> None:
    with pytest.raises(BuildError) as caught:
        call(root, "doubel")
    assert str(caught.value) == "there is no doubel in chores\n  did you mean double?"


def test_a_missing_module_is_a_sentence(root: Path) -> None:
    with pytest.raises(BuildError, match="there is no module nowhere"):
        run("nowhere.at_all:f", {}, root=root, timeout=30, purpose="importing")


def test_a_broken_import_inside_the_users_module_names_the_missing_library(root: Path) -> None:
    (root / "needy.py").write_text("import not_there_at_all\n")
    with pytest.raises(BuildError, match="No module named 'not_there_at_all'"):
        run("needy:f", {}, root=root, timeout=30, purpose="importing")


def test_a_time_limit_kills_the_job_and_its_children_and_clears_up_after_them(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids, temporary = root / "pids", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with pytest.raises(BuildError, match="stopped after 2 s while doing chores"):
        call(root, "hang", {"pids": str(pids)}, timeout=2.0)
    assert wait_until_gone(wait_for_pids(pids))
    assert list(temporary.iterdir()) == []


def parent_that_hangs(root: Path, pids: Path) -> subprocess.Popen[bytes]:
    code = f"""
        import signal
        from pathlib import Path
        from pytest_edgebudget.jobs import run
        signal.signal(signal.SIGINT, signal.default_int_handler)  # shells may ignore it
        run("chores:hang", {{"pids": {str(pids)!r}}}, root=Path({str(root)!r}), timeout=60,
            purpose="hanging")
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stderr=subprocess.DEVNULL
    )


@pytest.mark.parametrize("number", [2, 9], ids=["interrupted", "killed"])
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_job_does_not_outlive_its_parent(root: Path, number: int) -> None:
    pids = root / "pids"
    with parent_that_hangs(root, pids) as parent:
        jobs = wait_for_pids(pids)
        os.kill(parent.pid, number)
        parent.wait(20)
        assert wait_until_gone(jobs)
