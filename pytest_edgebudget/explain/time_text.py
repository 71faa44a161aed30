"""Estimated times in words: the total, the layers that take it, what would change it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import TypeAlias

from pytest_edgebudget.estimate import Estimate, OpTime, Range
from pytest_edgebudget.estimate.asked import basis
from pytest_edgebudget.explain.time import Times, WhatIf
from pytest_edgebudget.explain.words import printable, shorten
from pytest_edgebudget.types import Unit
from pytest_edgebudget.units import format_value

Named: TypeAlias = Callable[[str], str]

_MOST_ROWS = 24
_HEADER = ("kind", "layer", "time", "share", "bound by")
_WIDEST_KIND = 22
_LEAST_NAME = 6
_RIGHT = (2, 3)
_WIDE = 60


def time_lines(times: Times, named: Named, width: int) -> Iterator[str]:
    """*named* shortens layers' names; no line has more than *width* columns, 40 at least."""
    yield from _wrapped(f"Time on {times.profile}, {_total(times)}", width, "", "  ")
    found = times.found
    if found is None:
        return
    yield from _wrapped(basis(found), width, "  ", "  ")
    if found.energy is not None:
        yield from _wrapped(f"energy {_ranged(found.energy, Unit.JOULES)}", width, "  ", "  ")
    yield from _layers(found, named, width)
    if times.what_if:
        yield "  What if:"
    for each in times.what_if:
        yield from _wrapped(_what_if(each, found), width, "    ", "      ")


def _what_if(each: WhatIf, now: Estimate) -> str:
    before, after = (format_value(it.latency.value, Unit.SECONDS) for it in (now, each.found))
    note = f", {each.note}" if each.note else ""
    return f"{each.name}: {before} -> {after}{note} ({_span(each.found.latency, Unit.SECONDS)})"


def _total(times: Times) -> str:
    if times.found is None:
        return f"not estimated: {times.reason}"
    latency = times.found.latency
    return f"estimated: {_ranged(latency, Unit.SECONDS)}, {_way(times)}"


def _way(times: Times) -> str:
    where = f"{times.accelerator} of" if times.accelerator else "1 thread of"
    return f"{where} {times.runtime}"


def _ranged(found: Range, unit: Unit) -> str:
    return f"{format_value(found.value, unit)} ({_span(found, unit)})"


def _span(found: Range, unit: Unit) -> str:
    return f"{format_value(found.low, unit)} - {format_value(found.high, unit)}"


def _wrapped(text: str, width: int, first: str, rest: str) -> Iterator[str]:
    yield from wrap(text, width, initial_indent=first, subsequent_indent=rest)


def _layers(found: Estimate, named: Named, width: int) -> Iterator[str]:
    """The layers that take most, in their order; the start of an inference is what is left."""
    most = sorted(found.ops, key=lambda op: -op.seconds)[:_MOST_ROWS]
    kept = {id(op) for op in most}
    shown = [op for op in found.ops if id(op) in kept]
    total = found.latency.value
    rows = [_cells(op, named, total) for op in shown]
    yield from _columns([_HEADER, *rows], width)
    rest = len(found.ops) - len(shown)
    if rest:
        seconds = sum(op.seconds for op in found.ops if id(op) not in kept)
        yield f"  and {rest} more: {format_value(seconds, Unit.SECONDS)}"
    start = total - sum(op.seconds for op in found.ops)
    if start > 0.005 * total:
        yield f"  the start of an inference: {format_value(start, Unit.SECONDS)}"


def _cells(op: OpTime, named: Named, total: float) -> tuple[str, ...]:
    return (
        printable(op.kind),
        named(op.name),
        format_value(op.seconds, Unit.SECONDS),
        f"{op.seconds / total:.0%}".replace("%", " %") if total else "",
        op.bound,
    )


def _columns(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """As wide as needed; the names of layers get what is left, in a narrow terminal the kinds."""
    gap = 2 if width >= _WIDE else 1
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room = width - 2 - sum(widths[2:]) - gap * (len(widths) - 1)
    widths[0] = max(min(widths[0], _WIDEST_KIND, room - _LEAST_NAME), 1)
    widths[1] = max(min(widths[1], room - widths[0]), 1)
    for row in rows:
        cells = [shorten(cell, size) for cell, size in zip(row, widths, strict=True)]
        sides = [
            cell.rjust(size) if i in _RIGHT else cell.ljust(size)
            for i, (cell, size) in enumerate(zip(cells, widths, strict=True))
        ]
        yield f"  {(' ' * gap).join(sides)}".rstrip()
