"""What a board was like while it was timed: read from its files, judged, told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.devices.base import Circumstances
from pytest_edgebudget.devices.remote.agent.state import State
from pytest_edgebudget.devices.remote.circumstances import compare
from tests.devices.remote import board_files


def between(first: Path, last: Path, seconds: float = 10.0) -> Circumstances:
    before, after = State(str(first)).read([]), State(str(last)).read([])
    # All cores of the board, whatever the machine of this test has.
    for each, clock in ((before, 100.0), (after, 100.0 + seconds)):
        each["clock"] = clock
        each["affinity"] = [cpu["cpu"] for cpu in each["cpus"]]
        each["own"] = 0.0
    return compare(before, after)


def pi(tmp_path: Path, name: str, **how: int) -> Path:
    return board_files.raspberry_pi_4(tmp_path / name, **how)


def test_a_cool_and_idle_board_is_told_in_two_notes(tmp_path: Path) -> None:
    first = pi(tmp_path, "a", fast_ticks=1000)
    last = pi(tmp_path, "b", fast_ticks=2000)
    assert between(first, last) == Circumstances(("governor ondemand, 1.80 GHz", "48 C"), 0.0)


def test_the_clock_is_the_mean_of_the_time_between(tmp_path: Path) -> None:
    # 25 % at 600 MHz and 75 % at 1.8 GHz: 1.5 GHz. What was before does not count.
    first = pi(tmp_path, "a", slow_ticks=5000, fast_ticks=0)
    last = pi(tmp_path, "b", slow_ticks=5250, fast_ticks=750)
    assert between(first, last) == Circumstances(
        ("governor ondemand, 1.50 GHz of 1.80 GHz", "48 C"), 0.0
    )


def test_a_throttled_board_has_an_interval_up_to_its_full_speed(tmp_path: Path) -> None:
    first = pi(tmp_path, "a", fast_ticks=0)
    last = pi(tmp_path, "b", slow_ticks=250, fast_ticks=750, flags=0x80008, millidegrees=84700)
    found = between(first, last)
    assert found.notes == (
        "governor ondemand, 1.50 GHz of 1.80 GHz",
        "85 C",
        "the board was throttled: soft temperature limit",
    )
    assert found.widen == pytest.approx(1.8 / 1.5 - 1)


@pytest.mark.parametrize(
    ("before", "after", "reasons"),
    [
        (0x50000, 0x50000, ()),  # long ago
        (0x0, 0x50000, ("under-voltage", "throttled")),  # meanwhile, and over again
        (0x50005, 0x50000, ("under-voltage", "throttled")),  # at the beginning
        (0x0, 0x20002, ("frequency capped",)),
    ],
)
def test_flags_of_the_pi_count_where_they_belong_to_the_time_between(
    tmp_path: Path, before: int, after: int, reasons: tuple[str, ...]
) -> None:
    found = between(pi(tmp_path, "a", flags=before), pi(tmp_path, "b", flags=after))
    said = tuple(note for note in found.notes if note.startswith("the board was throttled"))
    assert said == tuple(f"the board was throttled: {reason}" for reason in reasons)
    assert (found.widen > 0) is bool(reasons)


def test_what_others_took_of_the_cpus_widens_the_interval(tmp_path: Path) -> None:
    # 8 CPU seconds of 4 cores in 10 s are 20 %; the kernel counts in hundredths of a second.
    first = pi(tmp_path, "a", busy_ticks=5000)
    last = pi(tmp_path, "b", busy_ticks=5800, fast_ticks=2000)
    found = between(first, last)
    assert found.notes[-1] == "the board was busy: other programs took 20% of its CPU time"
    assert found.widen == pytest.approx(0.2)


def test_big_and_little_cores_are_named(tmp_path: Path) -> None:
    root = board_files.rock_5(tmp_path)
    found = between(root, root)
    assert found.notes == (
        "governor performance, 1.20 GHz of 2.40 GHz",
        "81 C (throttles at 85 C)",
        "on any core (the fast ones are 4-7)",
    )
    assert found.widen == 0.0


def test_a_cpu_that_the_kernel_cools_is_throttled_and_a_fan_is_not(tmp_path: Path) -> None:
    root = board_files.rock_5(tmp_path, cooling=2)
    found = between(root, root)
    assert found.notes[-1] == "the board was throttled: the kernel slowed the CPU to cool it"
    assert found.widen == pytest.approx(2.4 / 1.2 - 1)


def test_a_board_that_tells_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    found = compare(State(str(tmp_path)).read([]), State(str(tmp_path)).read([]))
    assert found == Circumstances(("the board does not tell its clock frequency",), 0.0)


def test_cores_that_are_not_all_are_named(tmp_path: Path) -> None:
    state = State(str(pi(tmp_path, "a"))).read([])
    state["affinity"] = [0, 2, 3]
    assert compare(state, state).notes[-1] == "on cores 0, 2-3 of 4"
