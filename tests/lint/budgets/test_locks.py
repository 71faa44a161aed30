"""Locks of another setup, without a reading, of what is gone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_edgebudget.lint.base import Severity
from tests.lint.budgets.texts import HEAD, QUALITY, Find


def lock(project: Path, recipe: str = "none", **readings: Mapping[str, str]) -> None:
    """A lock of one model, with readings and their keys."""
    entry = {
        "recipe": recipe,
        "artifact": "0" * 64,
        "readings": {
            name: {"value": 0.97, "evidence": "host", "key": dict(key)}
            for name, key in readings.items()
        },
    }
    content = {"version": 1, "models": {"digits": entry}}
    (project / "pi4.lock.json").write_text(json.dumps(content))


def key(**changes: str) -> dict[str, str]:
    from importlib.metadata import version

    pytest.importorskip("ai_edge_litert", reason="the lock is compared with what is installed")
    same = {
        "runtime": "litert",
        "version": version("ai-edge-litert"),
        "device": "raspberry-pi-4",
        "run": "host",
        "threads": "1",
    }
    return same | changes


def test_an_estimate_of_another_table_is_found_and_one_of_this_table_is_not(
    find: Find, project: Path
) -> None:
    from pytest_edgebudget.measure.estimates import estimator

    same = {"device": "raspberry-pi-4", "runtime": "litert", "threads": "1"}
    limit = HEAD + 'latency = { max = "9 s", max_regression = "1 %" }\n'
    lock(project, latency=same | {"estimated by": estimator()})
    assert find("EB107", limit) == []

    lock(project, latency=same | {"estimated by": "table 0123"})
    (found,) = find("EB107", limit)
    assert found.message.startswith("the lock's latency is of the estimator's table 0123, a run")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": "1.0.0"}, "the lock's accuracy is of litert 1.0.0, a run now takes litert "),
        ({"runtime": "tflm", "version": ""}, "the lock's accuracy is of tflm, a run now takes li"),
        ({"device": "raspberry-pi-5"}, "the lock's accuracy is of device raspberry-pi-5, the bud"),
        ({"threads": "4"}, "the lock's accuracy is of threads 4, the budget has 1"),
        ({"data": "0123456789ab"}, "the lock's accuracy is of other data than data.npz holds now"),
    ],
)
def test_a_lock_of_another_setup_is_found(
    find: Find, project: Path, changes: dict[str, str], message: str
) -> None:
    lock(project, accuracy=key(**changes))

    (found,) = find("EB107", HEAD + 'accuracy = { min = 0.9, max_regression = "1 %" }\n')

    assert found.message.startswith(message)
    assert (found.line, found.severity) == (7, None)


def test_a_lock_of_another_setup_is_a_note_where_nothing_is_compared(
    find: Find, project: Path
) -> None:
    lock(project, accuracy=key(threads="4"))

    (found,) = find("EB107", HEAD + QUALITY)

    assert found.severity is Severity.NOTE


def test_a_lock_of_the_same_setup_is_no_finding(find: Find, project: Path) -> None:
    lock(project, accuracy=key(), size={})

    assert find("EB107", HEAD + QUALITY + 'size = "9 KiB"\n') == []


@pytest.mark.parametrize(
    ("run", "variable"), [("ssh://pi@pi4", "EDGEBUDGET_SSH"), ("adb://R58M123", "EDGEBUDGET_ADB")]
)
def test_no_board_is_asked_for_the_version_that_it_has(
    find: Find, project: Path, monkeypatch: pytest.MonkeyPatch, run: str, variable: str
) -> None:
    if os.name != "posix":
        pytest.skip("a shell script stands for the client")
    asked, client = project / "asked", project / "client"
    client.write_text(f"#!/bin/sh\ntouch {asked}\nexit 255\n")
    client.chmod(0o755)
    monkeypatch.setenv(variable, str(client))
    lock(project, accuracy=key(version="1.0.0", run=run[:3]))

    found = find("EB107", HEAD.replace("[device]\n", f'[device]\nrun = "{run}"\n') + QUALITY)

    assert found == []
    assert not asked.exists()


def test_a_damaged_lock_is_an_error(find: Find, project: Path) -> None:
    (project / "pi4.lock.json").write_text("{")

    (found,) = find("EB107", HEAD + QUALITY)

    assert "not a lock file" in found.message
    assert found.severity is Severity.ERROR
    assert find("EB108", HEAD + 'size = { max = "9 KiB", max_regression = "1 %" }\n') == []
    assert find("EB109", HEAD + QUALITY) == []


@pytest.mark.parametrize(
    ("limit", "severity"),
    [
        ('size = { max = "9 KiB", max_regression = "1 %" }', None),
        ('size = { max_regression = "1 %", when_missing = "skip" }', Severity.NOTE),
    ],
)
def test_a_regression_without_a_locked_reading_is_found(
    find: Find, project: Path, limit: str, severity: Severity | None
) -> None:
    (found,) = find("EB108", HEAD + limit + "\n")
    assert (found.line, found.severity) == (7, severity)

    lock(project, size={})
    assert find("EB108", HEAD + limit + "\n") == []


def test_a_locked_model_that_is_gone_is_found(find: Find, project: Path) -> None:
    lock(project, size={})
    text = HEAD.replace("models.digits", "models.digits2") + 'size = "9 KiB"\n'

    (found,) = find("EB109", text)

    assert found.message == "the lock has a model digits, this file has not"


@pytest.mark.parametrize(("recipe", "count"), [("float16", 1), ("int8", 0)])
def test_a_locked_recipe_that_is_not_listed_is_found(
    find: Find, project: Path, recipe: str, count: int
) -> None:
    lock(project, recipe, size={})
    text = HEAD.replace("[models.digits.budget]", 'optimize = ["int8"]\n[models.digits.budget]')

    found = find("EB109", text + 'size = "9 KiB"\n')

    assert [each.message for each in found] == [
        f"the lock has the recipe {recipe}, which optimize does not list"
    ] * count
