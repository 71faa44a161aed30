"""``edgebudget compare``: two JSON reports to a table of what changed."""

from __future__ import annotations

from pathlib import Path

from pytest_edgebudget.compare.changes import changes
from pytest_edgebudget.compare.formats import FORMATS
from pytest_edgebudget.compare.load import read_report


def compare(before: Path, after: Path, fmt: str) -> str:
    """
    What changed between two reports, as text, markdown or json.

    Raises `ModelError` for a file that is no report.
    """
    return FORMATS[fmt](changes(read_report(before), read_report(after)))
