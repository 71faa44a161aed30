"""Connections that break, boards that start anew, disks that are full: nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest

from pytest_edgebudget.devices.base import Samples
from pytest_edgebudget.devices.remote.device import RemoteDevice
from pytest_edgebudget.errors import DeviceError, Interrupted, Silent
from pytest_edgebudget.facts import Timings
from pytest_edgebudget.measure.gather import Gathered
from pytest_edgebudget.measure.subject import Subject
from tests.devices.ssh.conftest import DIGITS, WARM, Boards
from tests.devices.ssh.server import Proxy, Server, processes_of, wait_for
from tests.measure.help import artifact

FOR_EVER = 10**9  # runs: far more than a test lasts


@pytest.fixture(autouse=True)
def _nothing_stays(server: Server, boards: Boards) -> Iterator[None]:
    """No helper, worker or ssh of a test is there after it, whatever it did."""
    yield
    for each in boards.made:
        each.close()
    wait_for(lambda: not _ours(server), f"still there: {_ours(server)}", seconds=15)
    assert not list(server.cache.glob("run-*"))


def _ours(server: Server) -> list[int]:
    """Clients of this server, and what runs over there with files of its cache."""
    clients = processes_of(str(server.folder / "config-"))
    return clients + processes_of(str(server.cache)) + _helpers(server)


def _helpers(server: Server) -> list[int]:
    """Helpers of this server: their environment has its folder of temporary files."""
    mark = f"TMPDIR={server.folder / 'tmp'}".encode()
    found = []
    for pid in processes_of("zlib.decompress"):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if mark in environment.split(b"\0"):
            found.append(pid)
    return found


def subject(device: RemoteDevice) -> Subject:
    return Subject(
        artifact=artifact(WARM), device=device, data=None, split="test", first=None,
        source=None, state="reset",
    )  # fmt: skip


def test_a_connection_that_is_cut_in_mid_run_is_told(device: RemoteDevice, server: Server) -> None:
    with device.worker("tflite") as worker:
        worker.load(WARM)
        Timer(0.5, server.cut).start()
        with pytest.raises(Interrupted) as caught:
            worker.time(1, warmup=FOR_EVER)
    assert caught.value.message == ("the connection to 127.0.0.1 was lost while timing warm.tflite")


def test_a_reading_whose_connection_was_cut_is_taken_anew(
    device: RemoteDevice, server: Server
) -> None:
    cuts = [Timer(1.5, server.cut)]
    for cut in cuts:
        cut.start()
    facts = Gathered(subject(device), ()).facts(Timings)
    assert isinstance(facts, Timings)
    assert len(facts.workers) + facts.set_aside >= 5
    assert device.board.call == 2


def test_a_board_that_starts_anew_is_waited_for(device: RemoteDevice, server: Server) -> None:
    device.identity("tflite")
    server.stop()
    wait_for(lambda: device.board.call == 0, "the connection is still there")
    Timer(3.0, server.start).start()
    start = time.monotonic()
    with device.worker("tflite") as worker:
        assert worker.load(WARM).outputs == ("y",)
    assert time.monotonic() - start > 2


def test_a_board_that_does_not_come_back_is_given_up_and_not_asked_again(
    boards: Boards, server: Server
) -> None:
    board = boards.board(patience=2.0)
    board.ask("hello", "looking", distributions=[])
    server.stop()
    wait_for(lambda: board.call == 0, "the connection is still there")
    for _ in range(2):
        start = time.monotonic()
        with pytest.raises(DeviceError, match=r"^there is no connection to 127\.0\.0\.1"):
            board.ask("hello", "looking", distributions=[])
    assert time.monotonic() - start < 0.1
    server.start()


def test_a_cable_that_is_pulled_is_noticed_on_both_ends(
    boards: Boards, proxy: Proxy, server: Server
) -> None:
    device = boards.device(boards.board(f"ssh://127.0.0.1:{proxy.port}", silence=3.0, patience=1.0))
    start = time.monotonic()
    with device.worker("tflite") as worker:
        worker.load(WARM)
        Timer(0.3, proxy.hang).start()
        with pytest.raises(Interrupted, match="was lost while timing"):
            worker.time(1, warmup=FOR_EVER)
    assert time.monotonic() - start < 60  # TCP itself would take a quarter of an hour
    # Nobody told the board: its helper counts the silence, and ends the worker with itself.
    wait_for(lambda: not _helpers(server), "the helper is still there")
    wait_for(lambda: not processes_of(str(server.cache)), "the worker is still there")


def test_a_runtime_that_hangs_is_stopped_here_and_there(
    device: RemoteDevice, server: Server
) -> None:
    from dataclasses import replace

    device.limits = replace(device.limits, time=1.0)
    start = time.monotonic()
    with device.worker("tflite") as worker:
        worker.load(WARM)
        with pytest.raises(Silent) as caught:
            worker.time(1, warmup=FOR_EVER)
    assert caught.value.message == (
        "the litert worker on 127.0.0.1 gave no answer in 1 s while timing warm.tflite"
    )
    assert time.monotonic() - start < 10
    # Its alarm comes five seconds after the limit; the helper, when it ends, is faster.
    device.close()
    wait_for(lambda: not processes_of(str(server.cache)), "the worker is still there", 3)


def test_a_worker_that_crashes_over_there_is_no_lost_connection(
    device: RemoteDevice, server: Server
) -> None:
    with device.worker("tflite") as worker:
        worker.load(WARM)
        workers = [p for p in processes_of(str(server.cache)) if "sh -c" not in _command(p)]
        os.kill(max(workers), signal.SIGSEGV)
        with pytest.raises(DeviceError) as caught:
            worker.time(1)
    assert not isinstance(caught.value, Interrupted)
    assert caught.value.message == (
        "the litert worker on 127.0.0.1 was killed by SIGSEGV (11) while timing warm.tflite"
    )
    assert "another version may run it" in caught.value.hint


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


PARENT = """
import sys
from pathlib import Path
from pytest_edgebudget.devices import open_device, profile_named
from pytest_edgebudget.types import DeviceChoice

device = open_device(DeviceChoice(
    profile=profile_named("raspberry-pi-4"), run=sys.argv[1], python=sys.executable))
with device.quiet(), device.worker("tflite") as worker:
    worker.load(Path(sys.argv[2]))
    print("running", flush=True)
    worker.time(1, warmup=10**9)
"""


def test_a_parent_that_is_killed_in_mid_timing_leaves_nothing(
    server: Server, boards: Boards
) -> None:
    pytest.importorskip("ai_edge_litert", reason="the runtime of this test")
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, server.url, WARM], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        said = parent.stdout.readline()
        helpers = _helpers(server)
        parent.kill()
    assert (said, bool(helpers)) == (b"running\n", True)
    wait_for(lambda: not _ours(server), "something is still there", seconds=10)
    # The lease went with its holder: the next one has it at once.
    start = time.monotonic()
    with boards.device().quiet():
        assert time.monotonic() - start < 5


def test_a_full_disk_is_told_and_what_was_half_there_is_removed(
    boards: Boards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_edgebudget.devices.remote.files.PIECE", 200_000)
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder],
            capture_output=True,
            check=False,
        ).returncode
    )
    if not mounted:
        pytest.skip("a small file system: sudo mount -t tmpfs -o size=1m tmpfs FOLDER")
    try:
        board = boards.board(folder=str(folder / "cache"))
        device = boards.device(board)
        big = tmp_path / "big.npz"
        big.write_bytes(os.urandom(3_000_000))
        with pytest.raises(DeviceError, match=r"the board's disk is full: .* are needed") as caught:
            device.files.put(big)
        assert caught.value.hint == f"make room there, or empty {folder / 'cache'}"
        # What others take while a file arrives cannot be foreseen.
        third = tmp_path / "third.npz"
        third.write_bytes(os.urandom(900_000))
        taken = folder / "taken"
        real = board.ask

        def ask(op: str, *args: object, **more: object) -> object:
            if op == "write" and more["offset"]:
                taken.write_bytes(os.urandom(500_000))
            return real(op, *args, **more)  # type: ignore[arg-type]

        device.files.board = _Asking(ask)  # type: ignore[assignment]
        with pytest.raises(DeviceError, match="the board's disk is full: No space left on device"):
            device.files.put(third)
        assert list((folder / "cache" / "blobs").iterdir()) == []
        taken.unlink()
        device.files.board = board
        assert Path(device.files.put(third)).read_bytes() == third.read_bytes()
        board.close()
    finally:
        subprocess.run(["umount", folder], check=True)


class _Asking:
    def __init__(self, ask: object) -> None:
        self.ask = ask


def test_answers_survive_a_cut_between_metrics(
    device: RemoteDevice, server: Server, tmp_path: Path
) -> None:
    samples = Samples(path=DIGITS / "data.npz", split="test", first=3)
    for name in ("a.npz", "b.npz"):
        with device.worker("tflite") as worker:
            worker.load(DIGITS / "digits.tflite")
            worker.run(samples, "reset", tmp_path / name)
        server.cut()
        wait_for(lambda: device.board.call == 0, "the connection is still there")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
