"""A way to put one rule to the text of a budget file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pytest_edgebudget.lint.base import Finding
from pytest_edgebudget.lint.table import RULES_BY_CODE
from tests.lint.budgets.texts import Find
from tests.lint.check import TODAY, findings


@pytest.fixture
def find(project: Path) -> Find:
    """What the rule of a code finds in a budget file with a text."""

    def run(code: str, text: str, today: date = TODAY) -> list[Finding]:
        path = project / "pi4.toml"
        path.write_text(text)
        return findings(RULES_BY_CODE[code], path, today=today)

    return run
