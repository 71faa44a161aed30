"""A scheduler and workers of dask.distributed on loopback, and a project that searches there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
PATIENCE = 120.0
"""Seconds until a process that was started must be there; a test waits no longer than it takes."""

BUDGET = """\
[device]
profile = "raspberry-pi-4"
[lint]
level = "off"
[models.digits]
path = "digits.tflite"
data = "data.npz"
optimize = ["float16", "weights_int8", "int8"]
[models.digits.metrics.levels]
function = "levels:levels"
better = "lower"
[models.digits.budget]
levels = 256
"""
"""Only what int8 makes has no more than 256 different answers: all others are measured, too."""

LEVELS = '''
"""How many different numbers a model answers. Each call leaves a line in calls.txt."""

import os
import time
from pathlib import Path

HERE = Path(__file__).parent


def levels(outputs, labels, inputs):
    begun = time.monotonic_ns()
    wait_to_be_killed()
    time.sleep(float(os.environ.get("SLEEP", "0")))
    found = len(set(outputs.ravel().tolist()))
    with (HERE / "calls.txt").open("a") as file:
        file.write(f"{found} {os.getppid()} {begun} {time.monotonic_ns()}\\n")
    return float(found)


def wait_to_be_killed():
    """The first to call says which worker it is of, and waits until that one is gone."""
    worker = os.getppid()
    try:
        with (HERE / "worker.part").open("x") as file:
            file.write(str(worker))
    except FileExistsError:
        return
    (HERE / "worker.part").rename(HERE / "worker.txt")
    (HERE / "worker.part").touch()
    while os.getppid() == worker:
        time.sleep(0.05)
    os._exit(1)
'''


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the metric: what it returned, in which worker, and when."""

    value: int
    worker: int
    begun: int
    ended: int


@dataclass(slots=True)
class Project:
    """A folder with a budget, and the command line in a process of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        code = "import sys; from pytest_edgebudget.cli import main; sys.exit(main())"
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=self.folder,
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def check(self, **environment: str) -> list[dict]:
        """The trials of a search that keeps its budget."""
        done = self.run("check", "pi4.toml", "--format", "json", **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)["models"][0]["trials"]

    def settings(self, text: str) -> None:
        (self.folder / "pyproject.toml").write_text(f"[tool.edgebudget]\n{text}\n")

    def calls(self) -> list[Call]:
        lines = (self.folder / "calls.txt").read_text().splitlines()
        return [Call(*map(int, line.split())) for line in lines]

    def nobody_waits(self) -> None:
        """The metric answers at once."""
        (self.folder / "worker.part").touch()


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[[str], Project]:
    pytest.importorskip("litert_quantizer", reason="pip install 'pytest-edgebudget[litert]'")

    def make(name: str) -> Project:
        folder = tmp_path / name
        folder.mkdir()
        for file in ("digits.tflite", "data.npz"):
            shutil.copy(DIGITS / file, folder / file)
        (folder / "pyproject.toml").write_text("")
        (folder / "pi4.toml").write_text(BUDGET)
        (folder / "levels.py").write_text(LEVELS)
        return Project(folder)

    return make


@pytest.fixture
def project(make_project: Callable[[str], Project]) -> Project:
    found = make_project("project")
    found.nobody_waits()
    return found


@dataclass(slots=True)
class Farm:
    """A scheduler's *address*, and the workers that a test starts there."""

    address: str
    folder: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """A worker with a cache of its own; see `await_workers`."""
        folder = self.folder / f"worker{len(self.workers)}"
        folder.mkdir()
        command = ["worker", self.address, "--no-nanny", "--no-dashboard", *arguments]
        own = {"EDGEBUDGET_WORKER_CACHE": str(folder / "cache"), **environment}
        options = ["--local-directory", str(folder), "--name", folder.name]
        worker = _started([*command, *options], folder / "log.txt", own)
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()

    def log(self) -> str:
        logs = sorted(self.folder.glob("*/log.txt"))
        return "\n".join(f"{log.parent.name}:\n{log.read_text()}" for log in logs)

    def await_workers(self) -> None:
        """Until all that were started are known to the scheduler."""
        deadline = time.monotonic() + PATIENCE
        while self.log().count("Starting established connection") < len(self.workers):
            assert time.monotonic() < deadline, self.log()
            assert all(worker.poll() is None for worker in self.workers), self.log()
            time.sleep(0.1)


def _started(
    arguments: list[str], log: Path, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    code = "import sys; from dask.cli import run_cli; sys.exit(run_cli())"
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=log.parent,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler on a free port of this machine."""
    pytest.importorskip("distributed", reason="pip install 'pytest-edgebudget[cluster]'")
    folder = tmp_path_factory.mktemp("scheduler")
    file = folder / "scheduler.json"
    command = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    process = _started([*command, "--scheduler-file", str(file)], folder / "log.txt", {})
    try:
        yield _address(process, file, folder / "log.txt")
    finally:
        process.kill()
        process.wait()


def _address(process: subprocess.Popen[bytes], file: Path, log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return json.loads(file.read_text())["address"]
        except (FileNotFoundError, ValueError):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)


@pytest.fixture
def farm(scheduler: str, tmp_path: Path) -> Iterator[Farm]:
    folder = tmp_path / "farm"
    folder.mkdir()
    found = Farm(scheduler, folder)
    yield found
    found.end()
