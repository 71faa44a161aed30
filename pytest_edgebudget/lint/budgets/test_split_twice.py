"""
Two splits of the data are the same samples.

What it finds
    ``x_val``, ``x_calibration`` or ``x_train`` that is byte for byte the array ``x_test``. The
    ``.npz`` is a zip archive: lengths and check sums of its arrays are compared, and nothing is
    unpacked.

Why it hurts
    A model that was trained on the test samples is judged by what it remembers; a recipe that
    was calibrated or chosen on them is judged by what it was fitted to. The numbers are better
    than the product will be.

Example
    ``numpy.savez("data.npz", x_test=x, y_test=y, x_calibration=x)``

Instead
    Split the samples once, before anything else, by what makes them alike (the speaker, the
    recording, the day), so that nothing of a test sample is in another split.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at

_OTHERS = ("x_val", "x_calibration", "x_train")


def check(file: BudgetFile) -> Iterator[Finding]:
    """Splits that are the test split."""
    for model in file.budget.models:
        if isinstance(model.data, Path):
            for name in _same(model.data):
                yield at(
                    model.place,
                    f"{name} of {model.data.name} is the same samples as x_test",
                    instead="split the samples before training and calibrating",
                )


def _same(path: Path) -> list[str]:
    """The splits whose arrays have the length and the check sum of the test split's."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = {each.filename: (each.CRC, each.file_size) for each in archive.infolist()}
    except (OSError, zipfile.BadZipFile):
        return []  # the budget's reader says so
    tests = {name: sums for name, sums in found.items() if _split(name) == "x_test"}
    return [
        other
        for other in _OTHERS
        if tests
        and all(found.get(name.replace("x_test", other, 1)) == tests[name] for name in tests)
    ]


def _split(member: str) -> str:
    """``x_test`` of ``x_test.npy`` and of ``x_test/NAME.npy``."""
    return member.removesuffix(".npy").partition("/")[0]


RULE = Rule(
    code="EB115",
    name="test-split-twice",
    severity=Severity.WARNING,
    needs=BudgetFile,
    check=check,
)
