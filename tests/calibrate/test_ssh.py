"""A board at the other end of a real sshd is calibrated."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pytest_edgebudget.calibrate.command import Asked, calibrate
from pytest_edgebudget.devices import load_profile
from tests.devices.ssh.conftest import server  # noqa: F401 a fixture
from tests.devices.ssh.server import Server


@pytest.mark.slow
def test_a_board_over_ssh_is_calibrated(server: Server, tmp_path: Path) -> None:  # noqa: F811
    pytest.importorskip("ai_edge_litert", reason="needs the extra litert")
    path = tmp_path / "board.toml"
    asked = Asked(
        run=server.url,
        name="board",
        output=path,
        python=sys.executable,
        seconds=20,
        force=True,  # this machine is the board, and runs the tests as well
        thin=8,
    )
    told = calibrate(asked, lambda text: None)
    assert f'profile = "{path}"' in told
    profile = load_profile(path)
    assert [each.runtime for each in profile.calibrations] == ["litert"] * 3
    assert profile.calibrations[0].cpu
