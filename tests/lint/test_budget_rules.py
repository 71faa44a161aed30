"""Rules over budget files: each finds what it is for, and leaves sound files alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_edgebudget.lint.base import Finding, Severity
from pytest_edgebudget.lint.budgets.too_few_samples import needed
from pytest_edgebudget.lint.table import RULES_BY_CODE
from tests.lint.check import findings

DEVICE = '[device]\nprofile = "raspberry-pi-4"\n'
MODEL = '[models.digits]\npath = "digits.tflite"\ndata = "data.npz"\n'
HEAD = DEVICE + MODEL + "[models.digits.budget]\n"
QUALITY = 'accuracy = { min = 0.9, max_drop = "3 pp" }\n'

Find = Callable[..., list[Finding]]


@pytest.fixture
def find(project: Path) -> Find:
    """What the rule of that code finds in a budget file with that text."""

    def run(code: str, text: str, name: str = "pi4.toml", today: date | None = None) -> Any:
        path = project / name
        path.write_text(text)
        day = {"today": today} if today else {}
        return findings(RULES_BY_CODE[code], path, **day)

    return run


def data(project: Path, **arrays: int) -> None:
    """An ``.npz`` with so many different samples in each array."""
    made = {
        name: np.arange(count * 4, dtype=np.float32).reshape(count, 4) + index
        for index, (name, count) in enumerate(arrays.items())
    }
    np.savez(project / "data.npz", **made)


# --- limits that nothing can break -----------------------------------------------


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("accuracy = 0", "never fails: no reading is below 0.00 %"),
        ('accuracy = { min = "0 %", max_drop = "100 pp" }', "never fails: no reading is below"),
        ("cosine = -1.0", "never fails: no reading is below -1"),
        ('f1 = { max_drop = "100 pp" }', "never fails: max_drop allows to lose everything"),
        ("auc = 0.5", "says nothing: a model that throws a coin has 50 %, and 50.00 % is asked"),
        ("accuracy = { max = 1.0 }", "never fails: no reading is above 100.00 %"),
        ('size = "9 KiB"\ndownload_size = "16 KiB"', "never fails while size is kept: compressing"),
    ],
)
def test_a_limit_that_can_never_fail_is_found(find: Find, limit: str, message: str) -> None:
    (found,) = find("EB103", HEAD + limit + "\n")

    assert found.message.startswith(message)
    assert found.line >= 7


@pytest.mark.parametrize(
    ("latency", "p95", "count"),
    [("20 ms", "15 ms", 1), ("10 ms", "15 ms", 0), ("15 ms", "15 ms", 1)],
)
def test_a_median_above_the_limit_of_its_95th_percentile_is_found(
    find: Find, latency: str, p95: str, count: int
) -> None:
    text = HEAD.replace("raspberry-pi-4", "host")

    found = find("EB103", f'{text}latency = "{latency}"\nlatency_p95 = "{p95}"\n')

    assert [each.message for each in found] == [
        "never fails while latency_p95 is kept: it is never above"
    ] * count


@pytest.mark.parametrize(("joint", "count"), [("40 KiB", 1), ("32 KiB", 1), ("31 KiB", 0)])
def test_a_joint_limit_that_the_models_limits_imply_is_found(
    find: Find, joint: str, count: int
) -> None:
    other = HEAD.removeprefix(DEVICE).replace("digits]", "b]").replace("digits.budget", "b.budget")
    text = HEAD + 'size = "20 KiB"\n' + other + 'size = "12 KiB"\n'
    group = f'[groups.both]\nmodels = ["digits", "b"]\nbudget = {{ size = "{joint}" }}\n'

    found = find("EB103", text + group)

    assert [each.where for each in found] == ["groups.both.budget.size"] * count
    assert all("they allow 32.0 KiB together" in each.message for each in found)


@pytest.mark.parametrize(
    "limit",
    [
        'accuracy = { min = 0, max_drop = "1 pp" }',
        "accuracy = { min = 0.001 }",
        "auc = 0.51",
        'mae = { max = 42.0, max_drop = "100%" }',
        'size = { max = "64 KiB", max_regression = "100%" }',
        'size = "16 KiB"\ndownload_size = "12 KiB"',
    ],
)
def test_a_limit_that_can_fail_is_none(find: Find, limit: str) -> None:
    assert find("EB103", HEAD + limit + "\n") == []


@pytest.mark.parametrize(
    ("limit", "messages"),
    [
        ('size = "64 MiB"', ["64.0 MiB is 873 times the 75.1 KiB of the source model"]),
        ('size = "80 KiB"', []),
        ('size = { max = "64 MiB", max_regression = "2 %" }', []),
    ],
)
def test_a_size_limit_far_above_the_source_is_found(
    find: Find, limit: str, messages: list[str]
) -> None:
    assert [each.message for each in find("EB104", HEAD + limit + "\n")] == messages


# --- models that are not held back -------------------------------------------------


def test_a_model_whose_limits_are_all_warnings_is_found(find: Find) -> None:
    text = HEAD + 'size = { max = "16 KiB", level = "warn" }\n'

    (found,) = find("EB105", text)

    assert found.message == "all 1 limits are warnings: nothing can fail"
    assert (found.line, found.where, found.severity) == (3, "models.digits", None)


def test_a_model_whose_cost_is_not_limited_is_found(find: Find) -> None:
    (found,) = find("EB105", HEAD + QUALITY)

    assert found.message == (
        "only its quality is limited: it may cost on raspberry-pi-4 whatever it likes"
    )


def test_a_joint_limit_is_a_limit_of_cost(find: Find) -> None:
    group = '[groups.all]\nmodels = ["digits"]\nbudget = { size = "40 KiB" }\n'

    assert find("EB105", HEAD + QUALITY + group) == []


def test_a_model_of_an_extended_file_that_is_left_out_is_found(find: Find, project: Path) -> None:
    base = MODEL + MODEL.replace("digits]", "other]")
    (project / "models.toml").write_text(base)
    text = f'extends = "models.toml"\n{DEVICE}[models.digits.budget]\nsize = "9 KiB"\n'

    (found,) = find("EB105", text)

    assert found.message == (
        "other of models.toml has no limit here, so it is not gated on raspberry-pi-4"
    )
    assert (found.line, found.severity) == (1, Severity.NOTE)


@pytest.mark.parametrize(
    ("optimize", "limits", "count"),
    [
        ('["none", "int8"]', 'size = "16 KiB"\n', 1),
        ('["none", "int8"]', 'accuracy = { min = 0.9, level = "warn" }\nsize = "16 KiB"\n', 1),
        ('["none", "int8"]', QUALITY, 0),
        ('["none"]', 'size = "16 KiB"\n', 0),
    ],
)
def test_optimizing_without_a_limit_of_quality_is_found(
    find: Find, optimize: str, limits: str, count: int
) -> None:
    text = HEAD.replace("[models.digits.budget]", f"optimize = {optimize}\n[models.digits.budget]")

    found = find("EB106", text + limits)

    assert [each.message for each in found] == [
        "int8 may be chosen, and no limit says how good the model must stay"
    ] * count


# --- locks -----------------------------------------------------------------------


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


# --- data --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "limit", "messages", "severity"),
    [
        (360, '"1 pp"', ["360 samples are too few for 1 pp: 1,235 are needed"], Severity.NOTE),
        (1235, '"1 pp"', [], None),
        (
            40,
            '"1 pp"',
            [
                "one of 40 samples is more than 1 pp: one other answer breaks it; 1,235 samples are needed"
            ],
            None,
        ),
        (400, '"5 pp"', [], None),
    ],
)
def test_too_few_samples_for_a_drop_are_found(
    find: Find,
    project: Path,
    samples: int,
    limit: str,
    messages: list[str],
    severity: Severity | None,
) -> None:
    data(project, x_test=samples, y_test=samples)

    found = find("EB110", HEAD + f"accuracy = {{ max_drop = {limit} }}\n")

    assert [each.message for each in found] == messages
    assert all(each.severity is severity for each in found)


def test_a_limit_that_judges_the_interval_may_have_few_samples(find: Find, project: Path) -> None:
    data(project, x_test=100, y_test=100)

    assert find("EB110", HEAD + 'accuracy = { max_drop = "1 pp", confidence = 0.95 }\n') == []


@pytest.mark.parametrize(("drop", "most"), [(0.005, 0.82), (0.01, 0.82), (0.05, 1.0)])
def test_the_samples_that_are_asked_for_show_the_drop_in_four_of_five_cases(
    drop: float, most: float
) -> None:
    # McNemar's test, one-sided at 5 %, on simulated pairs of models. Where all that differs is
    # worse, the formula's normal approximation asks for more than are needed.
    share, samples, cases = max(0.02, drop), needed(drop), 20_000
    chances = [(share + drop) / 2, (share - drop) / 2, 1 - share]
    worse, better, _ = np.random.default_rng(7).multinomial(samples, chances, cases).T
    shown = (worse - better) / np.sqrt(np.maximum(worse + better, 1)) > 1.645

    assert 0.78 < shown.mean() < most


@pytest.mark.parametrize(
    ("arrays", "count"),
    [
        ({"x_test": 30, "y_test": 30, "x_calibration": 20}, 1),
        ({"x_test": 30, "y_test": 30, "x_calibration": 20, "y_calibration": 20}, 0),
        ({"x_test": 30, "y_test": 30, "x_val": 20, "y_val": 20}, 0),
    ],
)
@pytest.mark.parametrize("optimize", ['["float16", "int8"]', '["int8"]'])
def test_a_search_on_the_test_split_is_found(
    find: Find, project: Path, arrays: dict[str, int], count: int, optimize: str
) -> None:
    data(project, **arrays)
    text = HEAD.replace("[models.digits.budget]", f"optimize = {optimize}\n[models.digits.budget]")

    found = find("EB114", text + QUALITY)

    several = "float16" in optimize
    assert [each.message for each in found] == [
        "2 recipes are tried on x_test, which then judges the chosen one"
    ] * (count * several)


@pytest.mark.parametrize("names", [("x_test", "x_val"), ("x_test/a", "x_val/a")])
def test_a_split_that_is_the_test_split_is_found(
    find: Find, project: Path, names: tuple[str, str]
) -> None:
    x = np.arange(40, dtype=np.float32).reshape(10, 4)
    np.savez_compressed(project / "data.npz", **{names[0]: x, names[1]: x, "x_train": x + 1})

    (found,) = find("EB115", HEAD + 'size = "9 KiB"\n')

    assert found.message == "x_val of data.npz is the same samples as x_test"


def test_splits_of_different_samples_are_none(find: Find, project: Path) -> None:
    data(project, x_test=10, x_val=10, x_calibration=10)

    assert find("EB115", HEAD + 'size = "9 KiB"\n') == []


# --- waivers, devices ----------------------------------------------------------------


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

    pico = HEAD.replace("raspberry-pi-4", "raspberry-pi-pico")
    assert find("EB113", pico + 'arena = "9 KiB"\n') == []


def test_a_time_of_a_board_cannot_be_read_on_this_machine(find: Find) -> None:
    text = HEAD + 'latency = "8 ms"\ncold_start = { max = "1 s", when_missing = "skip" }\n'

    fails, skipped = find("EB113", text + 'size = "9 KiB"\n' + QUALITY)

    why = "of this machine is not that of raspberry-pi-4"
    assert fails.message == f"always fails: needs the device: latency {why}"
    assert skipped.message == f"is always skipped: needs the device: cold start {why}"
    assert (fails.severity, skipped.severity) == (None, Severity.NOTE)


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
