"""`macs`: arithmetic work of one inference."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.batch import open_batch
from pytest_edgebudget.graph.cost import LayerCost, largest, layer_costs
from pytest_edgebudget.metrics.base import STATIC, Metric, Options, Value
from pytest_edgebudget.types import Better, Unit


def read_macs(graph: Graph, options: Options) -> Value:
    """
    Multiply-accumulates of one inference.

    Unit: a count; one MAC is two floating-point operations. Lower is better.
    Exact: counted from the shapes in the file.

    Counted are convolutions (output elements times the weights that each one
    sees), transposed convolutions (input elements times the outputs that each
    one reaches, cropped ones too), matrix products and recurrent layers (each
    step times each matrix). Elementwise ops, pooling and moving data count
    nothing; weights that are zero count like others. A dynamic first dimension
    of an input is the batch, and counts as one. Where an op cannot be counted
    (another dynamic dimension, a loop, a custom op), the value is a lower
    bound: the note says so, and a limit above it is undecided.

    Source of the formulas: Sze et al., "Efficient Processing of Deep Neural
    Networks: A Tutorial and Survey", Proceedings of the IEEE 105(12), 2017.
    """
    costs = layer_costs(graph)
    total = sum(cost.macs or 0 for cost in costs)
    layers = largest(costs, "macs")
    if note := _bound(costs):
        return Value(total, low=total, high=math.inf, note=note, layers=layers)
    note = "for a batch of one" if open_batch(graph) else ""
    return Value(total, note=note, layers=layers)


def _bound(costs: Sequence[LayerCost]) -> str:
    unknown = [cost for cost in costs if cost.macs is None]
    if not unknown:
        return ""
    first = unknown[0]
    others = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
    return f"at least: {first.kind} {first.name!r}{others} cannot be counted from the file"


METRIC = Metric(
    name="macs",
    unit=Unit.COUNT,
    better=Better.LOWER,
    needs=Graph,
    read=read_macs,
    accepts=STATIC,
    additive=True,
    exact=True,
)
