"""Waivers at their end, and limits that the device cannot keep or measure."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from pytest_edgebudget.lint.base import Severity
from tests.lint.budgets.texts import HEAD, QUALITY, Find


@pytest.mark.parametrize(
    ("today", "message", "severity"),
    [
        (date(2027, 1, 1), "the waiver ends in 30 days, on 2027-01-31: soon", Severity.NOTE),
        (date(2027, 1, 31), "the waiver ends today: soon", Severity.NOTE),
        (date(2027, 2, 1), "the waiver expired on 2027-01-31: soon", None),
        (date(2026, 12, 31), "", None),
    ],
)
def test_a_waiver_at_its_end_is_found(
    find: Find, today: date, message: str, severity: Severity | None
) -> None:
    text = (
        HEAD + 'size = "9 KiB"\n[models.digits.waive.size]\nreason = "soon"\nuntil = 2027-01-31\n'
    )

    found = find("EB111", text, today=today)

    assert [each.message for each in found] == [message] * bool(message)
    assert all((each.severity, each.line) == (severity, 8) for each in found)


BOARD = """\
title = "a board"
runtimes = ["litert"]
ram = "256 KiB"
"""


@pytest.mark.parametrize(
    ("limit", "messages"),
    [
        ('ram = "300 KiB"', ["300 KiB is more than the 256 KiB of RAM that board has"]),
        ('ram = "256 KiB"', []),
        ('size = "300 KiB"', []),  # nothing is known of its flash
    ],
)
def test_a_limit_above_the_devices_memory_is_found(
    find: Find, project: Path, limit: str, messages: list[str]
) -> None:
    (project / "board.toml").write_text(BOARD)

    found = find("EB112", HEAD.replace('"raspberry-pi-4"', '"./board.toml"') + limit + "\n")

    assert [each.message for each in found] == messages


BANKS = BOARD.replace(
    'ram = "256 KiB"\n',
    '[[memory]]\nname = "a"\nkind = "ram"\nsize = "128 KiB"\naddress = 0x20000000\n'
    '[[memory]]\nname = "b"\nkind = "ram"\nsize = "128 KiB"\naddress = {address}\n'
    '[[memory]]\nname = "c"\nkind = "flash"\nsize = "1 MiB"\n',
).replace('["litert"]', '["tflm"]\ndefault_run = "static"')


@pytest.mark.parametrize(
    ("address", "messages"),
    [
        ("0x20020000", ["2.00 MiB is more than the 1.00 MiB of flash that board has"]),
        (
            "0x30000000",
            [
                "200 KiB is more than the 128 KiB of the largest region of RAM that board has",
                "2.00 MiB is more than the 1.00 MiB of flash that board has",
            ],
        ),
    ],
)
def test_an_arena_must_fit_one_region(
    find: Find, project: Path, address: str, messages: list[str]
) -> None:
    (project / "board.toml").write_text(BANKS.format(address=address))
    text = HEAD.replace('"raspberry-pi-4"', '"./board.toml"')

    found = find("EB112", text + 'arena = "200 KiB"\nsize = "2 MiB"\n')

    assert [each.message for each in found] == messages


def test_a_runtime_whose_kernels_use_no_arena_has_none(find: Find, project: Path) -> None:
    (found,) = find("EB113", HEAD + 'arena = "9 KiB"\nactivation_plan = "9 KiB"\n')
    assert found.message == (
        "always fails: litert has no arena with its default kernels; see activation_plan"
    )

    pico = HEAD.replace("raspberry-pi-4", "rp2040-tflm")
    assert find("EB113", pico + 'arena = "9 KiB"\n') == []


def test_a_time_of_a_board_cannot_be_read_on_this_machine(find: Find) -> None:
    latency = 'latency = { max = "8 ms", evidence = ["measured"] }\n'
    text = HEAD + latency + 'cold_start = { max = "1 s", when_missing = "skip" }\n'

    fails, skipped = find("EB113", text + 'size = "9 KiB"\n' + QUALITY)

    why = "of this machine is not that of raspberry-pi-4"
    assert (
        fails.message
        == f"always fails: needs the device: latency {why}, and this limit accepts measured"
    )
    assert skipped.message == f"is always skipped: needs the device: cold start {why}"
    assert (fails.severity, skipped.severity) == (None, Severity.NOTE)


def test_a_time_that_is_estimated_is_read_and_one_without_a_basis_is_not(find: Find) -> None:
    """Pi 4 and LiteRT have published rows, but no published power."""
    assert find("EB113", HEAD + 'latency = "8 ms"\nsize = "9 KiB"\n' + QUALITY) == []

    (found,) = find("EB113", HEAD + 'energy = "8 mJ"\nsize = "9 KiB"\n' + QUALITY)

    assert found.message.endswith("; the power of raspberry-pi-4 was not published")


def test_evidence_that_no_reading_has_is_found(find: Find) -> None:
    text = HEAD + 'accuracy = { min = 0.9, evidence = ["measured"] }\n'

    (found,) = find("EB113", text)

    assert found.message == "always fails: readings here are host, and this limit accepts measured"


@pytest.mark.parametrize(
    ("profile", "limit", "messages"),
    [
        (
            "host",
            'latency = "1 ms"\nlatency_p95 = "2 ms"',
            ["latency, latency_p95: another machine gives another verdict"],
        ),
        ("host", 'latency = { max = "1 ms", level = "warn" }', []),
        ("host", 'size = "9 KiB"', []),
        ("raspberry-pi-4", 'latency = "1 ms"', []),
    ],
)
def test_a_time_limit_on_whatever_machine_is_found(
    find: Find, profile: str, limit: str, messages: list[str]
) -> None:
    found = find("EB116", HEAD.replace("raspberry-pi-4", profile) + limit + "\n")

    assert [each.message for each in found] == messages


# --- EB117 ---------------------------------------------------------------------------------


def band(project: Path) -> tuple[float, float]:
    """The ends of the estimate of the project's model on a Raspberry Pi 4, in microseconds."""
    from pytest_edgebudget.devices.profile import profile_named
    from pytest_edgebudget.estimate import estimate
    from pytest_edgebudget.graph import read

    profile, graph = profile_named("raspberry-pi-4"), read(project / "digits.tflite")
    found = estimate(graph, profile, runtime="litert", precision="fp32")
    assert found is not None
    return found.latency.low * 1e6, found.latency.high * 1e6


@pytest.mark.parametrize(
    ("where", "evidence", "found"),
    [
        (0.99, "", 0),
        (1.01, "", 1),
        (0.5, "", 0),
        (1.01, ', evidence = ["measured"]', 0),
    ],
)
def test_a_limit_inside_the_band_of_the_source_is_found(
    find: Find, project: Path, where: float, evidence: str, found: int
) -> None:
    low, _ = band(project)
    limit = f'latency = {{ max = "{low * where:.9g} us"{evidence} }}\n'

    findings = find("EB117", HEAD + limit)

    assert len(findings) == found
    for each in findings:
        assert "lies inside the estimate of the source model, " in each.message
        assert " is surely kept, and less than " in each.instead


def test_a_limit_above_the_band_or_of_a_machine_that_measures_is_not_found(
    find: Find, project: Path
) -> None:
    low, high = band(project)
    assert find("EB117", HEAD + f'latency = "{high * 1.01:.9g} us"\n') == []
    inside = f'latency = "{(low + high) / 2:.9g} us"\n'
    assert len(find("EB117", HEAD + inside)) == 1
    assert find("EB117", HEAD.replace("raspberry-pi-4", "host") + inside) == []


def test_the_band_is_that_of_the_locked_candidate(find: Find, project: Path) -> None:
    optimized = HEAD.replace(
        "[models.digits.budget]", 'optimize = ["int8"]\n[models.digits.budget]'
    )
    limit = 'latency = "13 ms"\n'
    assert find("EB117", optimized + limit) == []  # nothing is known of what will be chosen

    reading = {"value": 0.0124, "low": 0.0098, "high": 0.0157, "evidence": "estimated", "key": {}}
    entry = {"recipe": "int8", "artifact": "0" * 64, "readings": {"latency": reading}}
    lock = {"version": 1, "models": {"digits": entry}}
    (project / "pi4.lock.json").write_text(json.dumps(lock))

    (found,) = find("EB117", optimized + limit)

    assert found.message == (
        "13.0 ms lies inside the estimate of the locked int8, 9.80 ms - 15.7 ms: no run decides it"
    )
    assert found.instead == "15.7 ms is surely kept, and less than 9.80 ms surely broken"
    assert find("EB117", optimized + 'latency = "15.8 ms"\n') == []
