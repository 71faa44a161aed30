"""Sentences about what training did to a model; empty when all is well."""

from __future__ import annotations

from collections import Counter

from pytest_edgebudget.graph import Graph


def same_ops(before: Graph, after: Graph) -> str:
    """Both have the same kinds of ops, so many of each."""
    old, new = (Counter(op.kind for op in graph.ops) for graph in (before, after))
    changed = sorted((old - new) + (new - old))
    return f"the ops changed: {', '.join(changed)}" if changed else ""


def trained(before: Graph, after: Graph) -> str:
    """At least one constant has other values; not to be seen in a `.keras` file."""
    if after.format == "keras":
        return ""
    old, new = (sorted(_constants(graph)) for graph in (before, after))
    return "no weight changed" if old == new else ""


def _constants(graph: Graph) -> list[bytes]:
    return [bytes(tensor.data) for tensor in graph.tensors if tensor.data is not None]
