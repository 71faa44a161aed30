"""A worker leaves no core, takes no more than most of the memory, and sees no network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worker.talk import FOLDER, Talk

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits are read from /proc")

TRY = """
import runpy, socket, sys
sys.modules["edgebudget_worker.server"] = type(sys)("server")
def main():
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=2)
        print("connected")
    except OSError as error:
        print(error.strerror)
sys.modules["edgebudget_worker.server"].main = main
runpy.run_path(sys.argv[2], run_name="__main__")
"""


@linux
def test_the_limits_are_those_of_the_living_worker() -> None:
    with Talk() as talk:
        talk.ask("nothing")
        text = Path(f"/proc/{talk.process.pid}/limits").read_text()
    found = dict(re.findall(r"(Max core file size|Max data size)\s+(\d+)", text))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert found["Max core file size"] == "0"
    assert int(found["Max data size"]) == int(memory * 0.8)


@linux
def test_it_has_a_network_of_its_own_in_which_there_is_nobody() -> None:
    import socket

    allowed = subprocess.run(["unshare", "--user", "--net", "true"], capture_output=True)
    if allowed.returncode != 0 and os.geteuid() != 0:
        pytest.skip("this system lets nobody make namespaces")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-c", TRY, str(port), str(FOLDER / "__main__.py")],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.stdout, done.stderr) == ("Network is unreachable\n", "")
