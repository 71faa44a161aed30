"""Readings over time as a picture of its own: ``edgebudget history --plot``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.explain.plot import check_suffix, write_picture
from pytest_edgebudget.history.series import Series
from pytest_edgebudget.html import marks, plots

STYLE = (
    "text{font-family:DejaVu Sans,Verdana,sans-serif}.title{font-size:13px;fill:#1b2430}"
    ".label{fill:#566271;font-size:11px}.axis{stroke:#d8dee6}"
    ".trend{fill:none;stroke:#1d4ed8;stroke-width:1.8}"
    ".change{stroke:#b3261e;stroke-dasharray:4 3}"
)
ROW = 160.0
MOST = 40
"""Series in one picture."""


def write_plot(found: Sequence[Series], path: Path) -> None:
    """
    Draw the series below each other into *path*: ``.svg``, or ``.png`` (with resvg-py).

    Raises `EdgeBudgetError` for another suffix, nothing to draw, or a file that
    cannot be written, and `MissingExtra` for a PNG without resvg-py.
    """
    check_suffix(path)
    shown = [series for series in found if len(series.values) > 1][:MOST]
    if not shown:
        raise EdgeBudgetError(f"{path}: no series has two readings yet", "run the gate again")
    write_picture(draw(shown), path)


def draw(shown: Sequence[Series]) -> str:
    """The picture as SVG."""
    height = ROW * len(shown)
    rows = "".join(
        f'<g transform="translate(0 {number * ROW:g})">{_row(series)}</g>'
        for number, series in enumerate(shown)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{plots.WIDTH:g}" height="{height:g}" '
        f'viewBox="0 0 {plots.WIDTH:g} {height:g}"><style>{STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{rows}</svg>\n'
    )


def _row(series: Series) -> str:
    picture = plots.trend(series.values, series.changes, series.last.unit, series.name)
    inside = picture[picture.index(">") + 1 : picture.rindex("</svg>")]
    return (
        f'<text class="title" x="8" y="16">{marks.text(series.name)}</text>'
        f'<g transform="translate(0 18)">{inside}</g>'
    )
