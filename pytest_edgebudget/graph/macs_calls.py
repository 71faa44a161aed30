"""Multiply-accumulates of an op, through the subgraphs that it calls."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.batch import with_batch_of_one
from pytest_edgebudget.graph.ir import Graph, Op, Subgraph
from pytest_edgebudget.graph.macs import (
    COUNTED_AS_ZERO,
    ONNX_RULES,
    RULES,
    UNCOUNTED,
    Sizes,
    UnknownShapeError,
)

_CALLERS = {
    "CALL": ("subgraph",),
    "STABLEHLO_COMPOSITE": ("decomposition_subgraph_index",),
    "IF": ("then_subgraph_index", "else_subgraph_index"),
    "WHILE": ("cond_subgraph_index", "body_subgraph_index"),
    "STABLEHLO_WHILE": ("cond_subgraph_index", "body_subgraph_index"),
    "STABLEHLO_CASE": ("branch_subgraph_indices",),
    "STABLEHLO_REDUCE": ("body_subgraph_index",),
    "STABLEHLO_REDUCE_WINDOW": ("body_subgraph_index",),
    "If": ("then_branch", "else_branch"),
    "Loop": ("body",),
    "Scan": ("body",),
    "SequenceMap": ("body",),
}
"""Ops that run subgraphs, and the attributes that number them. CALL_ONCE runs at
load time and counts nothing."""

_ONCE = frozenset({"CALL", "STABLEHLO_COMPOSITE"})
_BRANCHES = frozenset({"IF", "If", "STABLEHLO_CASE"})

# A damaged file may give a formula too few dimensions, or an op without inputs.
_CONTRADICTIONS = (ArithmeticError, LookupError, TypeError, ValueError)


_DEEPEST = 32
"""Calls within calls that are followed; a damaged file may chain thousands."""


class Counter:
    """Counts the MACs of a graph's ops for a batch of one; each subgraph is counted once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._rules = RULES if graph.format == "tflite" else ONNX_RULES
        self._subgraphs: dict[int, int | None] = {}
        self._depth = 0

    def main(self) -> list[int | None]:
        """MACs of each op of the main subgraph; None where they cannot be counted."""
        return self._counts(self._graph.main)

    def _counts(self, subgraph: Subgraph) -> list[int | None]:
        sized = with_batch_of_one(subgraph, self._graph.format)
        return [self._op(op, sized) for op in sized.ops]

    def _op(self, op: Op, subgraph: Subgraph) -> int | None:
        if op.kind in _CALLERS:
            return self._calls(op)
        rule = self._rules.get(op.kind)
        if rule is None:
            unknown = op.custom or op.kind in UNCOUNTED or op.kind.startswith("BUILTIN_")
            return None if unknown and op.kind not in COUNTED_AS_ZERO else 0
        try:
            return rule(Sizes(op, subgraph.tensors))
        except (UnknownShapeError, *_CONTRADICTIONS):
            return None

    def _calls(self, op: Op) -> int | None:
        counts = [self._subgraph(number) for number in _called(op)]
        if not counts or None in counts:
            return None
        known = [count for count in counts if count is not None]
        if op.kind in _ONCE:
            return sum(known)
        if op.kind in _BRANCHES and len(set(known)) == 1:
            return known[0]
        # Which branch is taken, and how often a loop runs, the file does not say.
        return None if any(known) else 0

    def _subgraph(self, number: int) -> int | None:
        if number not in self._subgraphs:
            self._subgraphs[number] = None  # until known: a subgraph that calls itself
            if 0 < number < len(self._graph.subgraphs) and self._depth < _DEEPEST:
                self._depth += 1
                self._subgraphs[number] = self._sum(self._graph.subgraphs[number])
                self._depth -= 1
        return self._subgraphs[number]

    def _sum(self, subgraph: Subgraph) -> int | None:
        counts = self._counts(subgraph)
        if None in counts:
            return None
        return sum(count for count in counts if count is not None)


def _called(op: Op) -> Iterator[int]:
    for name in _CALLERS[op.kind]:
        value = op.attributes.get(name)
        numbers = value if isinstance(value, tuple) else (value,)
        yield from (number for number in numbers if isinstance(number, int))
