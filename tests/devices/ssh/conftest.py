"""A board at the other end of a real sshd."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_edgebudget.devices import profile_named
from pytest_edgebudget.devices.remote.board import Board, Settings
from pytest_edgebudget.devices.remote.device import RemoteDevice
from pytest_edgebudget.devices.ssh.address import parse
from pytest_edgebudget.devices.ssh.transport import VARIABLE, Ssh
from pytest_edgebudget.types import DeviceChoice
from tests.devices.ssh.server import Proxy, Server, needs_sshd

WARM = Path(__file__).parents[3] / "pytest_edgebudget" / "worker" / "warm.tflite"
DIGITS = Path(__file__).parents[3] / "examples" / "digits"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """An sshd of this test's own; ssh finds the key by `EDGEBUDGET_SSH`."""
    needs_sshd()
    folder = tmp_path / "sshd"
    folder.mkdir()
    found = Server(folder)
    found.start()
    monkeypatch.setenv(VARIABLE, f"ssh -F {found.client()}")
    yield found
    found.over = True
    found.stop()


@pytest.fixture
def proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A way to that sshd that can fall silent."""
    found = Proxy(server.port)
    found.start()
    monkeypatch.setenv(VARIABLE, f"ssh -F {server.client(found.port)}")
    yield found
    found.stop()


@dataclass
class Boards:
    """Makes boards and devices, and closes them."""

    url: str
    made: list[Board]

    def board(self, url: str = "", python: str = sys.executable, **settings: object) -> Board:
        made = Board(
            Ssh(parse(url or self.url), alive=1), python, Settings(**{"patience": 10.0, **settings})
        )  # type: ignore[arg-type]
        self.made.append(made)
        return made

    def device(self, board: Board | None = None, **choice: object) -> RemoteDevice:
        facts = {"profile": profile_named("raspberry-pi-4"), "run": self.url, **choice}
        return RemoteDevice(DeviceChoice(**facts), board or self.board())  # type: ignore[arg-type]


@pytest.fixture
def boards(server: Server) -> Iterator[Boards]:
    found = Boards(server.url, [])
    yield found
    for each in found.made:
        each.close()


@pytest.fixture
def board(boards: Boards) -> Board:
    return boards.board()


@pytest.fixture
def device(boards: Boards) -> RemoteDevice:
    pytest.importorskip("ai_edge_litert", reason="the runtime of this test")
    return boards.device()
