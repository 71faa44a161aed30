"""Text that is safe in HTML, tables, and small pictures whose colours are the page's."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from pytest_edgebudget.texts import printable


def text(content: str) -> str:
    """A text as it may stand in HTML, attributes too."""
    return html.escape(printable(content), quote=True)


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = (), label: str
) -> str:
    """
    A table of cells that are HTML already; columns *numbers* are set to the right.

    On a narrow screen each row is a block, and each cell says its column.
    """
    names = "".join(
        f'<th scope="col"{" class=n" if index in numbers else ""}>{text(name)}</th>'
        for index, name in enumerate(head)
    )
    body = "".join(f"<tr>{_cells(head, row, numbers)}</tr>" for row in rows)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{text(label)}">'
        f'<table class="stack"><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cells(head: Sequence[str], row: Sequence[str], numbers: Sequence[int]) -> str:
    return "".join(
        f'<td{" class=n" if index in numbers else ""} data-label="{text(name)}">'
        f"<span>{cell}</span></td>"
        for index, (name, cell) in enumerate(zip(head, row, strict=True))
    )


def details(summary: str, inside: str, *, opened: bool = False) -> str:
    """A part that opens; *summary* and *inside* are HTML."""
    mark = " open" if opened else ""
    return (
        f'<details{mark}><summary>{summary}</summary><div class="inside">{inside}</div></details>'
    )


def picture(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """A plot with its name for those who do not see it; a table beside it has the numbers."""
    return (
        f'<svg class="plot" role="img" aria-label="{text(title)}" viewBox="0 0 {width:g} '
        f'{height:g}">{"".join(parts)}</svg>'
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str, width: float = 1) -> str:
    """A straight line in a colour of the page."""
    return (
        f'<line class="{kind}" x1="{x1:.4g}" y1="{y1:.4g}" x2="{x2:.4g}" y2="{y2:.4g}" '
        f'stroke-width="{width:g}"/>'
    )


def words(x: float, y: float, content: str, anchor: str = "start") -> str:
    """A label in a picture."""
    place = f'x="{x:.4g}" y="{y:.4g}" text-anchor="{anchor}"'
    return f'<text class="label" {place}>{text(content)}</text>'
