"""What an op does in one inference, through the subgraphs that it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pytest_edgebudget.graph.batch import with_batch_of_one
from pytest_edgebudget.graph.constants import origins, passes_on
from pytest_edgebudget.graph.ir import Graph, Op, Subgraph
from pytest_edgebudget.graph.macs import Sizes, UnknownShapeError, macs
from pytest_edgebudget.graph.operations import operations
from pytest_edgebudget.graph.traffic import traffic

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Work:
    """
    What something does in one inference; None where it cannot be counted.

    Attributes:
        macs: multiply-accumulates by kind (see `macs`).
        operations: all other arithmetic (see `operations`).
        read, written: bytes (see `traffic`).
    """

    macs: Mapping[str, int] | None = field(default_factory=dict)
    operations: int | None = 0
    read: int | None = 0
    written: int | None = 0


NOTHING = Work()
UNKNOWN = Work(None, None, None, None)

_ONCE = frozenset({"CALL", "STABLEHLO_COMPOSITE"})
_BRANCHES = frozenset({"IF", "If", "STABLEHLO_CASE"})
_LOOPS = frozenset(
    """
    WHILE STABLEHLO_WHILE STABLEHLO_REDUCE STABLEHLO_REDUCE_WINDOW STABLEHLO_SCATTER STABLEHLO_SORT
    Loop Scan SequenceMap
    """.split()  # noqa: SIM905
)
_CALLERS = _ONCE | _BRANCHES | _LOOPS

# A damaged file may give a formula too few dimensions, or an op without inputs.
_CONTRADICTIONS = (UnknownShapeError, ArithmeticError, LookupError, TypeError, ValueError)


class Counter:
    """Counts the work of a graph's ops for a batch of one; each subgraph is counted once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._subgraphs: dict[int, Work] = {}

    def works(self, sized: Subgraph) -> Iterator[Work]:
        """The work of each op of *sized*, a subgraph with a batch of one."""
        known = origins(sized)
        return (self._op(op, sized, known) for op in sized.ops)

    def _op(self, op: Op, subgraph: Subgraph, known: Mapping[int, int]) -> Work:
        if op.kind in _CALLERS:
            return self._calls(op)
        if passes_on(op, known):
            return NOTHING  # runtimes rewrite a constant once, when the model is loaded
        sizes = Sizes(op, subgraph.tensors)
        read, written = traffic(op, subgraph.tensors)
        return Work(
            self._counted(macs, sizes, known), self._counted(operations, sizes), read, written
        )

    def _counted(self, count: Callable[..., T], sizes: Sizes, *more: object) -> T | None:
        try:
            return count(sizes, self._graph.format, *more)
        except _CONTRADICTIONS:
            return None

    def _calls(self, op: Op) -> Work:
        works = [self._subgraph(number) for number in op.subgraphs]
        if not works:
            return UNKNOWN
        if op.kind in _ONCE:
            return total(works)
        if op.kind in _BRANCHES and all(work == works[0] for work in works):
            return works[0]
        # Which branch is taken, and how often a loop runs, the file does not say.
        whole = total(works)
        return Work(
            None if whole.macs else whole.macs,
            None if whole.operations else whole.operations,
            None if whole.read else whole.read,
            None if whole.written else whole.written,
        )

    def _subgraph(self, number: int) -> Work:
        # The readers refuse subgraphs that are not there, and calls that never end.
        if number not in self._subgraphs:
            sized = with_batch_of_one(self._graph.subgraphs[number], self._graph.format)
            self._subgraphs[number] = total(list(self.works(sized)))
        return self._subgraphs[number]


def total(works: Sequence[Work]) -> Work:
    """The sum; None where one of them cannot be counted."""
    return Work(
        _merged([work.macs for work in works]),
        _sum([work.operations for work in works]),
        _sum([work.read for work in works]),
        _sum([work.written for work in works]),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _merged(counts: Sequence[Mapping[str, int] | None]) -> Mapping[str, int] | None:
    whole: dict[str, int] = {}
    for count in counts:
        if count is None:
            return None
        for kind, number in count.items():
            whole[kind] = whole.get(kind, 0) + number
    return whole
