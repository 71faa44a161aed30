"""A worker that crashes, hangs, chatters or talks nonsense is an error that says so."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest

from pytest_edgebudget.devices.connection import Connection, Refused
from pytest_edgebudget.errors import DeviceError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

ECHO = """
import json, sys, time
for line in sys.stdin:
    request = json.loads(line)
    {act}
"""


@contextmanager
def worker(act: str) -> Iterator[Connection]:
    """A child that does *act* with each request."""
    program = ECHO.format(act=act)
    command = [sys.executable, "-c", program]
    with Connection(command, what="the test worker") as connection:
        yield connection


def reply(text: str) -> str:
    return f"print(json.dumps({text}), flush=True)"


def test_a_request_gets_its_result() -> None:
    with worker(reply('{"ok": {"twice": request["number"] * 2}}')) as connection:
        assert connection.request("double", doing="doubling", limit=10, number=4) == {"twice": 8}


def test_a_refusal_keeps_the_worker() -> None:
    act = reply('{"error": {"kind": "data", "message": "no x", "hint": "add x"}}')
    with worker(act) as connection:
        for _ in range(2):
            with pytest.raises(Refused) as caught:
                connection.request("run", doing="running", limit=10)
        assert caught.value.args == ("data", "no x", "add x")


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGABRT", "SIGBUS"])
def test_a_worker_that_dies_of_a_signal_is_named_with_what_it_did(name: str) -> None:
    number = int(getattr(signal, name))
    act = f"import os; print('so far so good', file=sys.stderr); os.kill(os.getpid(), {number})"
    with worker(act) as connection, pytest.raises(DeviceError) as caught:
        connection.request("run", doing="running x_test through kws.tflite", limit=10)
    assert caught.value.message == (
        f"the test worker was killed by {name} ({number}) while running x_test through kws.tflite"
    )
    assert "so far so good" in caught.value.hint


def test_a_worker_that_is_killed_from_outside_in_mid_run_is_told() -> None:
    with worker("time.sleep(60)") as connection:
        Timer(0.3, os.kill, [connection.pid, signal.SIGKILL]).start()
        with pytest.raises(DeviceError, match=r"killed by SIGKILL \(9\) while timing") as caught:
            connection.request("time", doing="timing kws.tflite", limit=30)
    assert "memory ran out" in caught.value.hint


def test_a_worker_that_hangs_is_stopped_at_the_time_limit() -> None:
    start = time.monotonic()
    with (
        worker("time.sleep(60)") as connection,
        pytest.raises(DeviceError, match=r"gave no answer in 0\.5 s while loading kws"),
    ):
        connection.request("load", doing="loading kws.tflite", limit=0.5)
    assert time.monotonic() - start < 20


def test_progress_starts_the_time_limit_again_and_is_in_the_message() -> None:
    act = (
        "\n    for n in range(4): time.sleep(0.4); "
        + reply('{"progress": f"sample {n} of 9"}')
        + "\n    time.sleep(60)"
    )
    with (
        worker(act) as connection,
        pytest.raises(DeviceError, match=r"in 1\.5 s while running \(sample 3 of 9\)"),
    ):
        connection.request("run", doing="running", limit=1.5)


def test_a_worker_that_ends_or_fails_to_start_is_an_error_with_its_last_words() -> None:
    with worker("sys.exit('no numpy here')") as connection, pytest.raises(DeviceError) as caught:
        connection.request("hello", doing="starting", limit=10)
    assert str(caught.value) == (
        "the test worker ended with status 1 while starting\n  it said last:\n  no numpy here"
    )
    with pytest.raises(DeviceError, match="does not start: No such file or directory"):
        Connection(["/nonexistent/python"], what="the test worker")


def test_nonsense_is_an_error_that_shows_it() -> None:
    with (
        worker("print('hello there', flush=True)") as connection,
        pytest.raises(DeviceError, match="answered nonsense while starting: 'hello there"),
    ):
        connection.request("hello", doing="starting", limit=10)


def test_endless_chatter_on_stderr_neither_blocks_nor_grows() -> None:
    act = "sys.stderr.write('x' * 3_000_000 + 'end'); sys.stderr.flush(); "
    with worker(act + reply('{"ok": {}}')) as connection:
        for _ in range(3):
            connection.request("run", doing="running", limit=20)
        assert os.fstat(connection._log.fileno()).st_size < 1 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_no_process_is_left_behind_by_an_interrupt() -> None:
    connection = Connection([sys.executable, "-c", "input()"], what="the test worker")
    connection.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not Path(f"/proc/{connection.pid}").exists()
