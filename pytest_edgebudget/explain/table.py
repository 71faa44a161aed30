"""The table of layers, as wide as there is room; the least needed columns go first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap

from pytest_edgebudget.explain.account import Account, op_number
from pytest_edgebudget.explain.words import (
    WIDTH,
    count,
    many,
    printable,
    shape,
    share,
    shorten,
    size,
)
from pytest_edgebudget.graph.cost import LayerCost

_MOST_ROWS = 64
_SHORTEST_GAP = 3
_HEADER = ("#", "op", "layer", "output", "type", "params", "bytes", "MACs", "share", "live")
_WIDEST = (5, 20, 100, 16, 9, 8, 9, 8, 5, 10)
_LEFT = frozenset({1, 2, 3, 4})
_LAYER = 2
_NARROWEST = 8
_DROPPED = (4, 5, 8, 3, 6, 7)
"""Which columns go first where there is no room: type, params, share, output, bytes, MACs."""


_Run = tuple[LayerCost, ...]


def layer_table(account: Account, width: int = WIDTH) -> Iterator[str]:
    """
    A line for each layer: op, output, parameters, weight bytes, MACs, live memory.

    Ops that only hold or rewrite constants are left out (a line says how many);
    of more than 64 layers, the ones that cost most are shown.
    """
    shown = [cost for cost in account.costs if not idle(cost)]
    rows = list(_elided(shown, account))
    cells = [_cells(row, account) for row in rows if not isinstance(row, tuple)]
    widths = _widths(cells, width)
    yield _line(_HEADER, widths)
    for row in rows:
        yield _gap(row, account) if isinstance(row, tuple) else _line(_cells(row, account), widths)
    hidden = [cost for cost in account.costs if idle(cost)]
    if hidden:
        held = size(sum(cost.weight_bytes for cost in hidden))
        one = len(hidden) == 1
        only, are = ("holds or rewrites", "is") if one else ("hold or rewrite", "are")
        text = f"{many(len(hidden), 'op')} that only {only} constants ({held}) {are} not shown"
        yield from wrap(text, width, initial_indent="  ", subsequent_indent="  ")


def idle(cost: LayerCost) -> bool:
    """Whether an op does nothing at an inference."""
    nothing = not (cost.macs or cost.operations or cost.read or cost.written)
    known = None not in (cost.macs, cost.operations, cost.read, cost.written)
    return nothing and known and cost.kind in _CONSTANT


_CONSTANT = frozenset(
    {"CAST", "Cast", "Constant", "DENSIFY", "DEQUANTIZE", "DequantizeLinear", "Identity"}
)


def _elided(costs: Sequence[LayerCost], account: Account) -> Iterator[LayerCost | _Run]:
    """All layers, or the ones that cost most in their order, with the gaps between them."""
    if len(costs) <= _MOST_ROWS:
        yield from costs
        return
    most = sorted(costs, key=lambda cost: -_weight(cost, account))[: _MOST_ROWS - 8]
    kept = {id(cost) for cost in (*costs[:2], *most, *costs[-2:])}
    for shown, group in groupby(costs, key=lambda cost: id(cost) in kept):
        run = tuple(group)
        if shown or len(run) < _SHORTEST_GAP:
            yield from run
        else:
            yield run


def _weight(cost: LayerCost, account: Account) -> float:
    """The largest of a layer's shares: MACs, bytes of weights, memory at the peak."""
    total = account.totals
    return max(
        (cost.macs or 0) / (total.macs or 1),
        cost.weight_bytes / (sum(total.stored.values()) or 1),
        account.live.get((cost.subgraph, cost.op), 0) / (max(account.plan.live, default=0) or 1),
    )


def _cells(cost: LayerCost, account: Account) -> tuple[str, ...]:
    live = account.live.get((cost.subgraph, cost.op))
    peak = live is not None and live == max(account.plan.live)
    return (
        op_number(cost.subgraph, cost.op),
        printable(cost.kind.rpartition(":")[2]),
        account.named(cost.name),
        shape(cost.shape),
        cost.dtype,
        count(cost.parameters) if cost.parameters else "",
        size(cost.weight_bytes) if cost.weight_bytes else "",
        "?" if cost.macs is None else count(cost.macs) if cost.macs else "",
        share(cost.macs, account.totals.macs),
        f"{size(live) if live is not None else ''}{'◂' if peak else ' '}",
    )


def _widths(rows: Sequence[Sequence[str]], whole: int) -> list[int]:
    """As wide as needed, within bounds; the layers' names get what is left. 0: not shown."""
    natural = [max(map(len, column)) for column in zip(_HEADER, *rows, strict=True)]
    widths = [min(width, most) for width, most in zip(natural, _WIDEST, strict=True)]
    least = min(widths[_LAYER], _NARROWEST)
    for column in (None, *_DROPPED):
        if column is not None:
            widths[column] = 0
        rest = whole - sum(n + 1 for i, n in enumerate(widths) if n and i != _LAYER)
        if rest >= least:
            break
    widths[_LAYER] = max(0, min(widths[_LAYER], rest))
    return widths


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    texts = [
        shorten(cell, width).ljust(width) if i in _LEFT else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        if width
    ]
    return " ".join(texts).rstrip()


def _gap(costs: _Run, account: Account) -> str:
    macs = sum(cost.macs or 0 for cost in costs)
    stored = sum(cost.weight_bytes for cost in costs)
    part = share(macs, account.totals.macs) or "0 %"
    return f"  ⋮ {len(costs)} more: {count(macs)} MACs ({part}), {size(stored)}"
