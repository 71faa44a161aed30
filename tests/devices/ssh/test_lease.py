"""Two jobs never time one board at once; the lease goes with its holder."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time

import pytest

from pytest_edgebudget import locks
from pytest_edgebudget.devices.remote.device import RemoteDevice
from pytest_edgebudget.devices.remote.lease import Lease
from pytest_edgebudget.errors import DeviceError, Interrupted
from tests.devices.ssh.conftest import Boards
from tests.devices.ssh.server import Server, processes_of, wait_for


def test_the_second_job_waits_for_the_first(boards: Boards) -> None:
    first, second = Lease(boards.board()), Lease(boards.board())
    times: list[float] = []

    def job() -> None:
        with second.held(alone=True):
            times.append(time.monotonic())

    with first.held(alone=True):
        waiting = threading.Thread(target=job)
        waiting.start()
        time.sleep(1.0)
        assert times == []
        released = time.monotonic()
    waiting.join(10)
    assert times
    assert times[0] >= released


def test_who_waits_for_too_long_is_told_who_has_the_board(
    boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER", "alice")
    first, second = Lease(boards.board()), Lease(boards.board(), wait=0.5)
    with first.held(alone=True):
        with pytest.raises(DeviceError) as caught, second.held(alone=True):
            pass
        with pytest.raises(DeviceError, match="alice@"), second.held(alone=False):
            pass
    assert "127.0.0.1: the board is in use: alice@" in caught.value.message
    assert " times something since " in caught.value.message
    with second.held(alone=True):
        pass


def test_workers_run_beside_each_other_and_not_while_somebody_times(boards: Boards) -> None:
    first, second = Lease(boards.board()), Lease(boards.board(), wait=0.5)
    with first.held(alone=False), second.held(alone=False):
        pass
    with (
        first.held(alone=False),
        pytest.raises(DeviceError, match="somebody runs models there"),
        second.held(alone=True),
    ):
        pass


def test_what_runs_on_the_board_itself_keeps_the_same_lease(boards: Boards, server: Server) -> None:
    lease = Lease(boards.board(), wait=0.5)
    with (
        locks.quiet(server.lock.parent),
        pytest.raises(DeviceError, match="is in use"),
        lease.held(alone=True),
    ):
        pass
    with lease.held(alone=True):
        assert _locked(server)
    assert not _locked(server)


def _locked(server: Server) -> bool:
    with server.lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_the_lease_of_a_helper_that_was_killed_is_free(boards: Boards, server: Server) -> None:
    lease = Lease(boards.board())
    with lease.held(alone=True):
        (helper,) = [pid for pid in processes_of("zlib.decompress") if _of(pid, server)]
        os.kill(helper, signal.SIGKILL)
        wait_for(lambda: not _locked(server), "the lease is still held")


def _of(pid: int, server: Server) -> bool:
    from pathlib import Path

    mark = f"TMPDIR={server.folder / 'tmp'}".encode()
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return mark in environment and words[0] != b"sh"


def test_a_timing_whose_lease_was_lost_does_not_count(device: RemoteDevice, server: Server) -> None:
    with device.quiet() as watch:
        assert watch.seen().notes
        server.cut()
        wait_for(lambda: not device.lease.intact, "the connection is still there")
        with pytest.raises(Interrupted, match="was lost in mid-timing"):
            watch.seen()
