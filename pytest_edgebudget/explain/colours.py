"""
Colours of buffers, by what the op that writes them does.

The hues are Okabe and Ito's, which most colour-blind people tell apart (Okabe &
Ito, "Color Universal Design", 2008), lightened under black text.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_edgebudget.explain.account import Account
from pytest_edgebudget.graph.arena import Buffer
from pytest_edgebudget.graph.cost import LayerCost
from pytest_edgebudget.graph.operations import is_elementwise


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour of the legend: *name*, and the colours of area, edge and text."""

    name: str
    fill: str
    edge: str
    ink: str = "#1f2933"


INPUT = Colour("input", "#52606d", "#323f4b", "#ffffff")
SCRATCH = Colour("scratch of kernels", "#d9d9d9", "#7b8794")
_BY_MACS = {
    "convolution": Colour("convolution", "#7fb8de", "#0072b2"),
    "depthwise": Colour("depthwise convolution", "#bfe3f7", "#56b4e9"),
    "fully_connected": Colour("fully connected", "#f3cf7a", "#b87a00"),
    "matmul": Colour("matrix product", "#eebf9f", "#d55e00"),
    "recurrent": Colour("recurrent", "#e3b5cf", "#cc79a7"),
}
_ELEMENTWISE = Colour("elementwise", "#f5ee9e", "#b3a600")
_POOLING = Colour("pooling, sums, resizing, softmax", "#8fd3bd", "#009e73")
_MOVING = Colour("moves data", "#e4e7eb", "#9aa5b1")
_UNKNOWN = Colour("not counted", "#dcc9ee", "#7b4fa3")


def colour_of(account: Account, buffer: Buffer) -> Colour:
    """The colour of what writes a buffer."""
    if buffer.scratch:
        return SCRATCH
    if account.maker(buffer) == "in":
        return INPUT
    return _colour(account.cost_at(buffer.first))


def _colour(cost: LayerCost) -> Colour:
    if cost.macs_by_kind:
        return _BY_MACS[max(cost.macs_by_kind, key=lambda kind: cost.macs_by_kind[kind])]
    if cost.macs is None or cost.operations is None:
        return _UNKNOWN
    if is_elementwise(cost.kind):
        return _ELEMENTWISE
    return _POOLING if cost.operations else _MOVING
