"""The lock: sorted, one line a reading, and never half-written or ignored."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.lock import Lock, LockEntry, lock_path, read_lock, write_lock
from pytest_edgebudget.types import Evidence, Reading

SIZE = Reading(metric="size", value=29936.0, low=29936.0, high=29936.0, evidence=Evidence.EXACT)
RAM = Reading(
    metric="ram",
    value=327680.0,
    low=323584.0,
    high=331776.0,
    evidence=Evidence.HOST,
    noisy=True,
    key=(("runtime", "litert"), ("version", "2.3.0")),
)
ENTRY = LockEntry("int8", "ab" * 32, {"size": SIZE, "ram": RAM})

TEXT = """\
{
  "version": 1,
  "models": {
    "digits": {
      "recipe": "int8",
      "artifact": "abababababababababababababababababababababababababababababababab",
      "readings": {
        "ram": {"value": 327680, "evidence": "host", "low": 323584, "high": 331776, \
"noisy": true, "key": {"runtime": "litert", "version": "2.3.0"}},
        "size": {"value": 29936, "evidence": "exact", "key": {}}
      }
    }
  }
}
"""


@pytest.fixture
def budget(tmp_path: Path) -> Path:
    return tmp_path / "pi4.toml"


def test_a_lock_lies_beside_its_budget_file_with_one_line_a_reading(budget: Path) -> None:
    changed = write_lock(read_lock(budget), {"digits": ENTRY}, frozenset({"digits"}))

    assert changed
    assert lock_path(budget) == budget.with_name("pi4.lock.json")
    assert lock_path(budget).read_text() == TEXT


def test_what_is_written_is_read_back(budget: Path) -> None:
    write_lock(read_lock(budget), {"digits": ENTRY}, frozenset({"digits"}))

    assert read_lock(budget).entries == {"digits": ENTRY}


def test_the_same_content_is_not_written_again(budget: Path) -> None:
    write_lock(read_lock(budget), {"digits": ENTRY}, frozenset({"digits"}))

    assert not write_lock(read_lock(budget), {"digits": ENTRY}, frozenset({"digits"}))


def test_a_model_that_the_budget_no_longer_has_goes_and_others_stay(budget: Path) -> None:
    both = frozenset({"digits", "gestures"})
    write_lock(read_lock(budget), {"digits": ENTRY, "gestures": ENTRY}, both)
    write_lock(read_lock(budget), {}, frozenset({"gestures"}))

    assert set(read_lock(budget).entries) == {"gestures"}


def test_without_a_file_the_lock_is_empty(budget: Path) -> None:
    assert read_lock(budget) == Lock(lock_path(budget))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"version": 2, "models": {}}',
        '{"version": 1}',
        '{"version": 1, "models": {"m": 3}}',
        '{"version": 1, "models": {"m": {"recipe": "", "artifact": "", "readings": {"a": {}}}}}',
    ],
)
def test_a_damaged_lock_is_an_error_that_says_what_to_do(budget: Path, text: str) -> None:
    lock_path(budget).write_text(text)

    with pytest.raises(ModelError, match=r"--edge-budget-update"):
        read_lock(budget)
