"""Rows, projects, and a real PostgreSQL server on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pytest_edgebudget.history.rows import HistoryRow

ROW = HistoryRow(
    id="0",
    at=1_800_000_000.0,
    run="r",
    commit_id="ab" * 20,
    branch="main",
    dirty=0,
    file="pi4.toml",
    model="digits",
    metric="latency",
    unit="s",
    better="lower",
    value=0.008,
    low=0.0079,
    high=0.0081,
    noisy=1,
    evidence="measured",
    key='{"cpu": "A"}',
    recipe="int8",
    artifact="cd" * 32,
    status="kept",
    tool="1",
)


def row(number: int, **changes: object) -> HistoryRow:
    """A reading with an id of its own."""
    return replace(ROW, id=f"id-{number}", **changes)  # type: ignore[arg-type]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model whose size is gated, and nothing of the environment's."""
    digits = Path(__file__).parent.parent.parent / "examples" / "digits" / "digits.tflite"
    shutil.copy(digits, tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "pi4.toml").write_text(
        '[lint]\nlevel = "off"\n[device]\nprofile = "raspberry-pi-4"\n[models.digits]\n'
        'path = "digits.tflite"\n[models.digits.budget]\nsize = "80 KiB"\nmacs = 10000000\n'
    )
    monkeypatch.chdir(tmp_path)
    for name in ("EDGEBUDGET_HISTORY", "GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@dataclass
class Server:
    """A PostgreSQL server of ours: started and stopped by `up` and `down`."""

    folder: Path
    port: int
    account: str | None
    programs: Path

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://team@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *words: str) -> None:
        path = shutil.which(program, path=f"{self.programs}{os.pathsep}{os.environ['PATH']}")
        subprocess.run(
            [str(path), *words],
            user=self.account,
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )

    def up(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-w", "-D", str(self.folder / "data"), "-l", log, "-o", options, "start")

    def down(self) -> None:
        self.run("pg_ctl", "-w", "-D", str(self.folder / "data"), "-m", "immediate", "stop")


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return found[-1].parent if found else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose users need a password."""
    pytest.importorskip("sqlalchemy", reason="the extra history is not installed")
    pytest.importorskip("psycopg", reason="the extra history is not installed")
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # Not below pytest's folder, which is root's alone.
    folder = Path(
        subprocess.check_output(["mktemp", "-d", "-t", "edgebudget-pg-XXXXXX"], text=True).strip()
    )
    account = None
    if os.getuid() == 0:  # which PostgreSQL refuses
        try:
            account = pwd.getpwnam("postgres").pw_name
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no account postgres")
        shutil.chown(folder, account)
    server = Server(folder, _free_port(), account, programs)
    (folder / "password").write_text("s3cret-word\n")
    try:
        server.run(
            "initdb", "-D", str(folder / "data"), "-U", "team", "-A", "scram-sha-256",
            f"--pwfile={folder / 'password'}", "--no-sync",
        )  # fmt: skip
        server.up()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.down()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(cluster: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server, up and empty; the password is in the environment."""
    from pytest_edgebudget.history.server import ServerDatabase

    monkeypatch.setenv("PGPASSWORD", "s3cret-word")
    if not (cluster.folder / "data" / "postmaster.pid").exists():
        cluster.up()
    database = ServerDatabase(cluster.url)
    database.prune(time.time() * 10)
    database.close()
    return cluster


Check = Callable[..., int]
