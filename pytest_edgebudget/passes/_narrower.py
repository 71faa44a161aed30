"""Sentences about a model whose layers should have become narrower; empty when they did."""

from __future__ import annotations

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.cost import layer_costs
from pytest_edgebudget.passes._weights import weights


def same_kinds_of_numbers(before: Graph, after: Graph) -> str:
    """The weights have the dtypes that they had."""
    old, new = (sorted({weight.tensor.dtype for weight in weights(g)}) for g in (before, after))
    return "" if old == new else f"weights were {', '.join(old)} and are {', '.join(new)}"


def fewer_macs(before: Graph, after: Graph) -> str:
    """It computes less."""
    old, new = (sum(cost.macs or 0 for cost in layer_costs(graph)) for graph in (before, after))
    if new < old:
        return ""
    return f"it saves no multiply-accumulates: {old} before, {new} after"


def narrower(before: Graph, after: Graph) -> str:
    """No layer's weights became more, some became fewer."""
    old, new = (_elements(graph) for graph in (before, after))
    if len(old) != len(new):
        return f"{len(old)} layers with weights became {len(new)}"
    wider = [name for (_, a), (name, b) in zip(old, new, strict=True) if b > a]
    if wider:
        return f"{wider[0]} became wider"
    return (
        ""
        if old != new and sum(b for _, b in new) < sum(a for _, a in old)
        else ("no layer became narrower")
    )


def _elements(graph: Graph) -> list[tuple[str, int]]:
    found = []
    for weight in weights(graph):
        count = 1
        for size in weight.tensor.shape or ():
            count *= size
        found.append((weight.op.name.split(";")[0], count))
    return found
