"""Models that a budget does not hold back."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.lint.base import Severity
from tests.lint.budgets.texts import DEVICE, HEAD, MODEL, QUALITY, Find


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
