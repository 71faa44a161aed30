"""Data: too few samples, and splits that are not apart."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.lint.base import Severity
from pytest_edgebudget.lint.budgets.too_few_samples import needed
from tests.lint.budgets.texts import HEAD, QUALITY, Find

EXAMPLES = Path(__file__).parents[3] / "examples"


def data(project: Path, **arrays: int) -> None:
    """An ``.npz`` with so many different samples in each array."""
    made = {
        name: np.arange(count * 4, dtype=np.float32).reshape(count, 4) + index
        for index, (name, count) in enumerate(arrays.items())
    }
    np.savez(project / "data.npz", **made)


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


@pytest.mark.parametrize(
    ("recipe", "arrays", "message"),
    [
        ("qat+int8", {"x_calibration": 9}, "qat+int8: qat needs x_train, and data.npz has none"),
        ("qat+int8", {"x_train": 9}, ""),
        (
            "int8+clean",
            {"x_train": 9},
            "int8+clean: int8 needs x_calibration, and data.npz has none",
        ),
        ("int8", {"x_calibration": 9}, ""),
        ("float16", {}, ""),
        ("low_rank(0.9)", {}, ""),
    ],
)
def test_a_recipe_whose_samples_are_missing_is_found(
    find: Find, project: Path, recipe: str, arrays: dict[str, int], message: str
) -> None:
    data(project, x_test=30, y_test=30, **arrays)
    shutil.copy(EXAMPLES / "digits" / "digits.keras", project)
    text = HEAD.replace("digits.tflite", "digits.keras").replace(
        "[models.digits.budget]", f'optimize = ["{recipe}"]\n[models.digits.budget]'
    )

    assert [each.message for each in find("EB119", text + QUALITY)] == [message] * bool(message)
