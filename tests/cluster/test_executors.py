"""The search with executors of Python, and with one that shares no files with it."""

from __future__ import annotations

import functools
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.cluster.processes import Processes
from pytest_edgebudget.session import Choices, GateSession
from pytest_edgebudget.types import Trial
from pytest_edgebudget.wiring import command_line_manager, registry_of

from .conftest import DIGITS

LISTED = """\
[device]
profile = "raspberry-pi-4"
[models.digits]
path = "digits.tflite"
data = "data.npz"
optimize = ["float16", "weights_int8", "int8"]
[models.digits.budget]
accuracy = { max_drop = "1 pp" }
cosine = 1.0
"""
"""No recipe keeps it: all are looked at, and the closest is taken."""

FIT = """\
[device]
profile = "raspberry-pi-4"
[models.digits]
path = "digits.tflite"
data = "data.npz"
optimize = "fit"
[models.digits.fit]
objective = "size"
max_trials = 3
[models.digits.budget]
accuracy = { max_drop = "1 pp" }
"""


class Elsewhere(Executor):
    """Does everything on another machine, as far as anybody can tell."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(3)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


def digits(folder: Path, budget: str) -> Path:
    for file in ("digits.tflite", "data.npz"):
        shutil.copy(DIGITS / file, folder / file)
    (folder / "pyproject.toml").write_text("")
    (folder / "pi4.toml").write_text(budget)
    return folder


def searched(folder: Path, executor: Executor | None = None) -> list[tuple]:
    session = GateSession(
        root=folder,
        registry=registry_of(command_line_manager()),
        choices=Choices(),
        executor=lambda: executor,
    )
    session.read([folder / "pi4.toml"])
    (budget,) = session.budgets.values()
    seen: list[Trial] = []
    found = session.search(budget, budget.models[0], seen.append)
    session.close()
    assert [trial.recipe for trial in found.trials][: len(seen)] == [t.recipe for t in seen]
    return [plain(trial) for trial in found.trials]


def plain(trial: Trial) -> tuple:
    sha256 = trial.artifact.sha256 if trial.artifact else ""
    values = {name: reading.value for name, reading in trial.readings.items()}
    return str(trial.recipe), trial.state, sha256, values, trial.binding, trial.reason


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[tuple]]:
    """What a search for a budget finds that has no help, once each."""
    pytest.importorskip("litert_quantizer", reason="pip install 'pytest-edgebudget[litert]'")
    return functools.cache(lambda text: searched(digits(tmp_path_factory.mktemp("alone"), text)))


@pytest.mark.parametrize(
    ("make", "budget"),
    [
        (lambda: ThreadPoolExecutor(3), FIT),
        (lambda: ProcessPoolExecutor(2, get_context("spawn")), LISTED),
        (Elsewhere, LISTED),
        (lambda: Processes(2), LISTED),
    ],
    ids=["threads", "processes", "elsewhere", "own"],
)
def test_any_executor_finds_what_the_search_alone_finds(
    make: Callable[[], Executor],
    budget: str,
    alone: Callable[[str], list[tuple]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    expected = alone(budget)
    monkeypatch.setenv("EDGEBUDGET_WORKER_CACHE", str(tmp_path / "elsewhere"))
    (tmp_path / "spread").mkdir()
    with make() as executor:
        found = searched(digits(tmp_path / "spread", budget), executor)

    assert found == expected
    assert len(found) == {LISTED: 3, FIT: 1}[budget]
    assert (tmp_path / "elsewhere").exists() == (make is Elsewhere)


def die_once(marker: str) -> int:
    """End the process that this runs in, but the first time only."""
    try:
        Path(marker).touch(exist_ok=False)
    except FileExistsError:
        return os.getpid()
    os._exit(9)


def wait_for_ever(marker: str) -> None:
    Path(marker).write_text(str(os.getpid()))
    while True:
        time.sleep(0.05)


def test_a_process_that_dies_takes_no_other_task_with_it_and_its_own_is_done_again(
    tmp_path: Path,
) -> None:
    with Processes(2) as processes:
        dying = processes.submit(die_once, str(tmp_path / "died"))
        others = [processes.submit(pow, 2, exponent) for exponent in range(5)]
        assert [other.result(60) for other in others] == [1, 2, 4, 8, 16]
        assert dying.result(60) not in (0, os.getpid())


def test_a_task_that_nobody_needs_any_more_ends_with_its_process(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    with Processes(1) as processes:
        task = processes.submit(wait_for_ever, str(marker))
        deadline = time.monotonic() + 60
        while not (marker.exists() and marker.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        pid = int(marker.read_text())
        task.cancel()
        assert task.exception(60) is not None
        assert processes.submit(os.getpid).result(60) != pid
