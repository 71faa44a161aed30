"""The lock as a bar that only gets better, and what an update writes."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget import verdict as verdicts
from pytest_edgebudget.cli import main
from pytest_edgebudget.lock import LockEntry
from pytest_edgebudget.relock import added, updated, written_down
from pytest_edgebudget.session import Choices
from pytest_edgebudget.types import Better, Evidence, Outcome, Reading, Tolerance, Verdict
from tests.values import limit, reading

DIGITS = Path(__file__).parent.parent.parent / "examples" / "digits"
TODAY = date(2026, 1, 1)


def noisy(value: float, low: float, high: float) -> Reading:
    return reading(value, low=low, high=high, noisy=True, evidence=Evidence.MEASURED)


def judged(locked: Reading, now: Reading, **changes: Any) -> Verdict:
    case = verdicts.Case(
        limit=limit(ratchet=True, **changes), better=Better.LOWER, reading=now, locked=locked
    )
    verdict = verdicts.judge(case, model="model", today=TODAY)
    entry = LockEntry("none", "sha", {"m": locked})
    return written_down(verdict, entry, Choices())


LOCKED = noisy(100.0, 95.0, 105.0)


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (noisy(104.0, 99.0, 109.0), Outcome.KEPT),  # better than the worse end of the bar
        (noisy(107.0, 102.0, 112.0), Outcome.UNDECIDED),
        (noisy(112.0, 107.0, 117.0), Outcome.BROKEN),
        (noisy(93.0, 88.0, 98.0), Outcome.KEPT),  # luck, maybe
        (noisy(85.0, 80.0, 90.0), Outcome.BROKEN),  # better for sure: to be written down
    ],
)
def test_a_noisy_reading_is_held_to_the_worse_end_of_the_lock(
    now: Reading, outcome: Outcome
) -> None:
    assert judged(LOCKED, now).outcome is outcome


def test_an_improvement_says_how_it_is_written_down() -> None:
    verdict = judged(reading(100.0), reading(90.0))

    assert verdict.fails
    assert verdict.reason.startswith("better than the lock, which is not written down")


def test_a_change_below_the_least_one_is_none() -> None:
    small = Tolerance(0.05, relative=True)

    assert judged(reading(100.0), reading(96.0), min_change=small).outcome is Outcome.KEPT
    assert judged(reading(100.0), reading(104.0), min_change=small).outcome is Outcome.KEPT
    assert judged(reading(100.0), reading(106.0), min_change=small).outcome is Outcome.BROKEN


def test_an_update_keeps_what_differs_by_noise_and_writes_the_rest() -> None:
    old = LockEntry("int8", "sha", {"latency": LOCKED, "size": reading(10.0)})
    within = LockEntry("int8", "sha", {"latency": noisy(101.0, 96.0, 106.0), "size": reading(11.0)})
    beyond = LockEntry("int8", "sha", {"latency": noisy(120.0, 115.0, 125.0)})
    other = LockEntry("int8", "other", {"latency": noisy(101.0, 96.0, 106.0)})

    assert updated(old, within).readings == {"latency": LOCKED, "size": reading(11.0)}
    assert updated(old, beyond).readings == beyond.readings
    assert updated(old, other) == other


def test_adding_changes_nothing_that_is_there() -> None:
    old = LockEntry("int8", "sha", {"size": reading(10.0)})
    new = LockEntry("int8", "sha", {"size": reading(11.0), "ram": reading(5.0)})

    assert added(old, new).readings == {"size": reading(10.0), "ram": reading(5.0)}
    assert added(old, LockEntry("none", "other", {"ram": reading(5.0)})) == old
    assert added(None, new) == new


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEBUDGET_HISTORY", "off")
    (tmp_path / "pyproject.toml").write_text("")
    shutil.copy(DIGITS / "digits.tflite", tmp_path / "a.tflite")
    write(tmp_path, "a")
    return tmp_path


def write(project: Path, *models: str) -> None:
    tables = "".join(
        f'[models.{name}]\npath = "{name}.tflite"\n[models.{name}.budget]\nsize = {{ ratchet = true }}\n'
        for name in models
    )
    head = '[lint]\nlevel = "off"\n[device]\nprofile = "raspberry-pi-4"\n'
    (project / "pi4.toml").write_text(head + tables)


def sizes(project: Path) -> dict[str, int]:
    models = json.loads((project / "pi4.lock.json").read_text())["models"]
    return {name: entry["readings"]["size"]["value"] for name, entry in models.items()}


def test_the_bar_is_written_binds_and_only_gets_better(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = (project / "a.tflite").read_bytes()
    grown = model + bytes(1024)
    (project / "a.tflite").write_bytes(grown)
    assert main(["check", "pi4.toml"]) == 1  # there is no bar yet
    assert main(["check", "pi4.toml", "--update"]) == 0
    assert main(["check", "pi4.toml"]) == 0

    (project / "a.tflite").write_bytes(grown + bytes(1024))
    capsys.readouterr()
    assert main(["check", "pi4.toml"]) == 1
    said = capsys.readouterr().out
    assert (
        "a: size is broken: 77.1 KiB is 1.00 KiB (1 %) over what the lock holds, 76.1 KiB" in said
    )
    assert "take this reading out of the lock" in said
    assert main(["check", "pi4.toml", "--update"]) == 1  # no update loosens it
    assert sizes(project) == {"a": len(grown)}

    (project / "a.tflite").write_bytes(model)
    capsys.readouterr()
    assert main(["check", "pi4.toml"]) == 1
    assert "a: size is broken: better than the lock" in capsys.readouterr().out
    assert main(["check", "pi4.toml", "--update"]) == 0
    assert sizes(project) == {"a": len(model)}


def test_update_new_adds_a_model_and_leaves_the_others(project: Path) -> None:
    assert main(["check", "pi4.toml", "--update"]) == 0
    lock = project / "pi4.lock.json"
    before = sizes(project)["a"]
    lock.write_text(lock.read_text().replace(str(before), str(before + 4)))
    shutil.copy(project / "a.tflite", project / "b.tflite")
    write(project, "a", "b")

    assert main(["check", "pi4.toml", "--update-new"]) == 0
    assert sizes(project) == {"a": before + 4, "b": before}


def test_both_updates_at_once_are_a_usage_error(project: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", "pi4.toml", "--update", "--update-new"])
    assert ended.value.code == 2
