"""A search on a real scheduler with real worker processes."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import PATIENCE, Farm, Project

if TYPE_CHECKING:
    from pytest_edgebudget.cluster.scheduler import Cluster


def told(trials: list[dict]) -> list[tuple]:
    """What a search found, without the seconds that it took."""
    return [
        (each["recipe"], each["state"], tuple(each["binding"]), each["readings"], each["reason"])
        for each in trials
    ]


@pytest.mark.slow
def test_a_worker_killed_in_mid_trial_loses_nothing_and_nothing_counts_twice(
    make_project: Callable[[str], Project], farm: Farm
) -> None:
    alone, spread = make_project("alone"), make_project("spread")
    alone.nobody_waits()
    expected = alone.check()

    for _ in range(3):
        farm.start("--nthreads", "1")
    farm.await_workers()
    killed: list[int] = []
    killer = threading.Thread(target=lambda: killed.append(kill_the_first(spread, farm)))
    killer.start()
    spread.settings(f'cluster = "{farm.address}"')
    found = spread.check()
    killer.join(PATIENCE)

    assert told(found) == told(expected)
    assert [trial["state"] for trial in found] == ["rejected"] * 2 + ["chosen"]
    calls = spread.calls()
    assert sorted(call.value for call in calls) == sorted(call.value for call in alone.calls())
    assert killed[0] not in {call.worker for call in calls}
    assert {call.worker for call in calls} <= {worker.pid for worker in farm.workers}


def kill_the_first(project: Project, farm: Farm) -> int:
    """Kill the worker whose metric waits for it."""
    file = project.folder / "worker.txt"
    deadline = time.monotonic() + PATIENCE
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    pid = int(file.read_text())
    assert pid in {worker.pid for worker in farm.workers}
    os.kill(pid, signal.SIGKILL)
    return pid


@pytest.mark.slow
def test_one_board_does_one_measurement_at_a_time(project: Project, farm: Farm) -> None:
    farm.start("--nthreads", "1")
    board = farm.start("--nthreads", "4", "--resources", "raspberry-pi-4=1", SLEEP="0.3")
    farm.await_workers()
    project.settings(f'cluster = "{farm.address}"')
    project.check()

    calls = sorted(project.calls(), key=lambda call: call.begun)
    assert len(calls) >= 4  # the source, and three recipes
    assert {call.worker for call in calls} == {board.pid}
    for earlier, later in itertools.pairwise(calls):
        assert earlier.ended < later.begun


@pytest.mark.slow
def test_what_workers_did_is_in_the_cache_of_the_search(project: Project, farm: Farm) -> None:
    farm.start("--nthreads", "2")
    farm.await_workers()
    budget = (project.folder / "pi4.toml").read_text()
    budget = budget.replace("levels = 256", 'size = "24 KiB"\naccuracy = 0.97')
    (project.folder / "pi4.toml").write_text(budget)
    project.settings(f'cluster = "{farm.address}"')
    expected = told(project.check())
    farm.end()
    done = records(project)

    project.settings("")  # nobody else any more
    assert told(project.check()) == expected
    assert records(project) == done
    assert {path.parent.name for path in done} >= {"build", "reading"}


def records(project: Project) -> set[Path]:
    return set((project.folder / ".edgebudget_cache" / "records").rglob("*.json"))


def refused(project: Project, farm: Farm, *said: str, **environment: str) -> None:
    """The command says so, in sentences, with the code of infrastructure."""
    done = project.run(
        "fit", "digits", "--budget", "pi4.toml", "--cluster", farm.address, **environment
    )
    assert done.returncode == 3, done.stdout + done.stderr
    for text in said:
        assert text in done.stderr
    assert "Traceback" not in done.stderr


PRELOADS = {
    "other": "import pytest_edgebudget\npytest_edgebudget.__version__ = '0.0.1'\n",
    "none": "import sys\nsys.modules['pytest_edgebudget'] = None\n",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preload", "said"),
    [
        ("other", ("the worker has pytest-edgebudget 0.0.1", "install the same version on both")),
        ("none", ("has no pytest-edgebudget", "install the same version there")),
    ],
)
def test_a_worker_of_another_version_is_told(
    preload: str, said: tuple[str, ...], project: Project, farm: Farm
) -> None:
    file = farm.folder / "preload.py"
    file.write_text(PRELOADS[preload])
    farm.start("--nthreads", "1", "--preload", str(file))
    farm.await_workers()
    refused(project, farm, *said)


@pytest.mark.slow
def test_a_function_that_a_worker_cannot_import_is_named(project: Project, farm: Farm) -> None:
    elsewhere = farm.folder / "elsewhere"
    elsewhere.mkdir()
    (project.folder / "levels.py").rename(elsewhere / "levels.py")
    farm.start("--nthreads", "1")
    farm.await_workers()
    refused(
        project,
        farm,
        "the worker cannot import levels:levels: there is no module levels",
        "or install it as a package",
        PYTHONPATH=str(elsewhere),
    )


def test_a_scheduler_that_is_not_there_is_a_sentence(project: Project) -> None:
    pytest.importorskip("distributed", reason="pip install 'pytest-edgebudget[cluster]'")
    from pytest_edgebudget.cluster.scheduler import Cluster
    from pytest_edgebudget.errors import DeviceError

    with pytest.raises(
        DeviceError, match=r"there is no scheduler at tcp://127\.0\.0\.1:1"
    ) as caught:
        Cluster("tcp://127.0.0.1:1", patience=1.0)
    assert "dask scheduler" in caught.value.hint


def test_a_scheduler_without_workers_is_a_sentence(scheduler: str) -> None:
    from pytest_edgebudget.cluster.scheduler import Cluster
    from pytest_edgebudget.errors import DeviceError

    with pytest.raises(DeviceError, match="has no workers") as caught:
        Cluster(scheduler, patience=1.0)
    assert f"dask worker {scheduler}" in caught.value.hint


def test_when_all_workers_left_the_search_says_so(farm: Farm) -> None:
    from pytest_edgebudget.cluster.scheduler import Cluster
    from pytest_edgebudget.errors import DeviceError

    farm.start("--nthreads", "1")
    farm.await_workers()
    cluster = Cluster(farm.address, alone=0.1)
    try:
        cluster.check()
        farm.end()
        with pytest.raises(DeviceError, match="all workers left the cluster") as caught:
            asked_until_it_raises(cluster)
    finally:
        cluster.close()
    assert f"dask worker {farm.address}" in caught.value.hint


def asked_until_it_raises(cluster: Cluster) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        cluster.check()
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cluster", "scheduler:8786"], "--cluster: 'scheduler:8786' is no address"),
        (["--cluster", "tcp://127.0.0.1:1", "--workers", "2"], "choose one of them"),
        (["--workers", "-1"], "--workers: -1 is no number of processes"),
    ],
)
def test_what_cannot_be_asked_for_is_a_sentence(
    arguments: list[str], said: str, project: Project
) -> None:
    done = project.run("fit", "digits", "--budget", "pi4.toml", *arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
