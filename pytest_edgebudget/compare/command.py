"""``edgebudget compare``: two JSON reports to a table of what changed."""

from __future__ import annotations

from pathlib import Path

from pytest_edgebudget.compare.changes import changes
from pytest_edgebudget.compare.formats import FORMATS
from pytest_edgebudget.compare.load import read_report
from pytest_edgebudget.store import Store


def compare(before: Path, after: Path, fmt: str, store: Store | None = None) -> str:
    """
    What changed between two reports, as text, markdown or json.

    *store*: the cache, for the layers that made a limit worse; None without.
    Raises `ModelError` for a file that is no report.
    """
    old, new = read_report(before), read_report(after)
    found = changes(old, new)
    if store is not None and any(change.verdict == "worse" for change in found):
        from pytest_edgebudget.compare.layers import Layers

        found = tuple(Layers(old, new, store).told(found))
    return FORMATS[fmt](found)
