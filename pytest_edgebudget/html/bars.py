"""Readings and shares as bars."""

from __future__ import annotations

import math

from pytest_edgebudget.html import marks
from pytest_edgebudget.report import words
from pytest_edgebudget.report.base import LayerRow, LimitRow

WIDTH, HEIGHT = 130.0, 16.0
ROOM = 1.15  # of the longest thing that is drawn


def reading_bar(row: LimitRow) -> str:
    """The reading, its interval, and the bound that decided; the table has the numbers."""
    bound = words.deciding(row)
    if row.after is None or bound is None or bound.bound is None:
        return ""
    interval = (row.after.low, row.after.high) if row.after.noisy else ()
    drawn = [row.after.value, bound.bound, *interval]
    if not all(isinstance(each, float | int) and math.isfinite(each) for each in drawn):
        return ""
    top = max(map(abs, drawn)) * ROOM or 1.0

    def place(value: float) -> float:
        return max(0.0, min(value / top, 1.0)) * WIDTH

    kind = "fill broken" if row.outcome == "broken" else "fill"
    parts = [
        f'<rect class="track" width="{WIDTH:g}" height="8" y="4" rx="2"/>',
        f'<rect class="{kind}" width="{place(row.after.value):.1f}" height="8" y="4" rx="2"/>',
    ]
    if interval:
        parts.append(marks.line(place(interval[0]), 8, place(interval[1]), 8, "range", 3))
    parts.append(marks.line(place(bound.bound), 0, place(bound.bound), HEIGHT, "limit", 2))
    return f'<svg class="bar" aria-hidden="true" viewBox="0 0 130 16">{"".join(parts)}</svg>'


def pair_bar(before: float, after: float, longest: float) -> str:
    """What a layer had, above what it has; the table has the numbers."""
    widths = [max(0.0, min(each / (longest or 1.0), 1.0)) * WIDTH for each in (before, after)]
    kind = "fill broken" if after > before else "fill"
    return (
        '<svg class="bar" aria-hidden="true" viewBox="0 0 130 16">'
        f'<rect class="fill" width="{widths[0]:.1f}" height="5" y="2" rx="2"/>'
        f'<rect class="{kind}" width="{widths[1]:.1f}" height="5" y="9" rx="2"/></svg>'
    )


def layer_table(row: LimitRow) -> str:
    """Where a metric is, layer by layer."""
    total = row.layers_total or 1.0
    rows = [
        (
            marks.text(layer.name),
            marks.text(layer.kind),
            marks.text(words.value(layer.value, row.layers_unit)),
            f"{100 * layer.value / total:.0f} %",
            _share(layer, total),
        )
        for layer in row.layers
    ]
    head = ("layer", "op", row.layers_of, "share", "")
    return marks.table(head, rows, numbers=(2, 3), label=f"{row.layers_of} by layer")


def _share(layer: LayerRow, total: float) -> str:
    width = max(0.0, min(layer.value / total, 1.0)) * WIDTH
    return (
        '<svg class="bar" aria-hidden="true" viewBox="0 0 130 16">'
        f'<rect class="track" width="{WIDTH:g}" height="8" y="4" rx="2"/>'
        f'<rect class="fill" width="{width:.1f}" height="8" y="4" rx="2"/></svg>'
    )
