"""A worker with a board behind ssh: what is measured there comes back as measured."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_edgebudget.devices.ssh.transport import VARIABLE
from tests.devices.ssh.server import Server, needs_sshd

from .conftest import Farm, Project

BUDGET = f"""\
[device]
profile = "raspberry-pi-4"
python = "{sys.executable}"
[lint]
level = "off"
[models.digits]
path = "digits.tflite"
data = "data.npz"
optimize = ["float16", "int8"]
[models.digits.budget]
size = "24 KiB"
accuracy = 0.95
latency = {{ max = "10 s", evidence = ["measured"] }}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """An sshd on this machine, which stands for the board."""
    needs_sshd()
    folder = tmp_path / "sshd"
    folder.mkdir()
    found = Server(folder)
    found.start()
    yield found
    found.over = True
    found.stop()


@pytest.mark.slow
def test_a_worker_measures_on_its_own_board(project: Project, farm: Farm, server: Server) -> None:
    (project.folder / "pi4.toml").write_text(BUDGET)
    here = project.run("check", "pi4.toml")
    assert here.returncode == 1  # nothing measures a board's latency without one

    farm.start("--nthreads", "2")
    farm.start(
        *("--nthreads", "2", "--resources", "raspberry-pi-4=1"),
        EDGEBUDGET_WORKER_RUN=f"raspberry-pi-4={server.url}",
        **{VARIABLE: f"ssh -F {server.client()}"},
    )
    farm.await_workers()
    project.settings(f'cluster = "{farm.address}"')
    done = project.run("check", "pi4.toml", "--format", "json")

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    found = {limit["metric"]: limit["after"] for limit in report["limits"]}
    assert found["latency"]["evidence"] == found["accuracy"]["evidence"] == "measured"
    assert found["latency"]["value"] > 0
    assert dict(found["latency"]["key"])["run"] == "ssh"
