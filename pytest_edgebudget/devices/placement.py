"""Which operators of a model run on the accelerator of a device, and which do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_edgebudget.devices.constraints import Table, Violation, table_of, violations
from pytest_edgebudget.devices.constraints.view import View, dims
from pytest_edgebudget.graph.ir import Graph, Op, Subgraph
from pytest_edgebudget.types import Profile


@dataclass(frozen=True, slots=True)
class Placed:
    """
    An operator of the main subgraph and where it runs.

    Attributes:
        index: of the operator in `Graph.ops`.
        op: the operator.
        on: whether the accelerator (or the fast kernels) takes it.
        where: the place in words, such as "NPU" or "CPU"; "" where it cannot run.
        reasons: why it is not taken; empty when it is.
        free: whether it costs nothing wherever it runs.
        gone: whether the accelerator's compiler computes it, so that nothing runs.
    """

    index: int
    op: Op
    on: bool
    where: str
    reasons: tuple[Violation, ...] = ()
    free: bool = False
    gone: bool = False

    @property
    def side(self) -> bool | None:
        """Whether it is on the accelerator; None when it is on neither side."""
        return None if self.gone else self.on


def placement(graph: Graph, profile: Profile) -> tuple[Placed, ...]:
    """
    Where each operator of the main subgraph runs, in the order of execution.

    By the table of the profile's accelerator, or of its kernels where it has
    none. Empty for a device without either, and for a model that is no .tflite.
    """
    table = table_of(profile.accelerator or profile.kernels)
    return placed(graph, table) if table else ()


def placed(graph: Graph, table: Table) -> tuple[Placed, ...]:
    """Where each operator of the main subgraph runs by one table."""
    if graph.format != "tflite":
        return ()
    found: list[Placed] = []
    folded = _folded(graph.main) if table.folds else frozenset()
    ended = ""
    for index, op in enumerate(graph.ops):
        gone = index in folded
        reasons = () if gone else violations(table, graph.main, op)
        if table.stops and not reasons and ended:
            said = f"behind {ended}, which is not taken, all operators run on the {table.rest}"
            reasons = (Violation(said, cause="order"),)
        if reasons and not ended and not leads(graph.main, op, table):
            ended = op.kind
        where = table.rest if reasons else table.place
        free = gone or op.kind in table.free
        found.append(Placed(index, op, not reasons, where, reasons, free, gone))
    return _largest(graph.main, found, table) if table.alone else tuple(found)


def _largest(subgraph: Subgraph, found: Sequence[Placed], table: Table) -> tuple[Placed, ...]:
    """What is outside of the largest piece is off; of several of a size, the first is run."""
    made = pieces(subgraph, [each.side for each in found])
    largest: tuple[int, ...] = max(made, key=len, default=())
    kept = frozenset(largest)
    said = f"the {table.place} runs one piece of the model, the largest"
    reasons = (Violation(said, cause="order"),)
    return tuple(
        each
        if not each.on or each.index in kept
        else replace(each, on=False, where=table.rest, reasons=reasons)
        for each in found
    )


def leads(subgraph: Subgraph, op: Op, table: Table) -> bool:
    """Whether an operator may run before the accelerator's part: a converter of an input."""
    return op.kind in table.leads and bool(op.inputs) and op.inputs[0] in subgraph.inputs


def _folded(subgraph: Subgraph) -> frozenset[int]:
    """Operators whose results follow from constants and sizes alone, a batch being one."""
    known = {n for n, tensor in enumerate(subgraph.tensors) if tensor.data is not None}
    found = set()
    for index, op in enumerate(subgraph.ops):
        fixed = bool(op.inputs) and all(n < 0 or n in known for n in op.inputs)
        if fixed or (op.kind == "SHAPE" and dims(View(subgraph, op).input(0)) is not None):
            found.add(index)
            known.update(op.outputs)
    return frozenset(found)


def partitions(subgraph: Subgraph, sides: Sequence[bool | None]) -> int:
    """How many pieces of the model the accelerator gets; *sides* as in `Placed.side`."""
    return len(pieces(subgraph, sides))


def pieces(subgraph: Subgraph, sides: Sequence[bool | None]) -> list[tuple[int, ...]]:
    """
    The pieces of the model that the accelerator gets: numbers of operators.

    Like a delegate's partitioning (tensorflow/lite/graph_info.cc): ready
    operators of one side are collected until only the other side has any.
    *sides* as in `Placed.side`. Linear in operators and inputs.
    """
    users, missing = _waiting(subgraph, sides)
    ready: dict[bool, list[int]] = {True: [], False: []}
    for number, count in missing.items():
        if not count:
            ready[bool(sides[number])].append(number)
    starts = [*ready[True], *ready[False]]
    found: list[tuple[int, ...]] = []
    side = bool(starts) and bool(sides[min(starts)])
    while ready[side]:
        piece: list[int] = []
        while ready[side]:
            piece.append(ready[side].pop())
            for user in users.get(piece[-1], ()):
                missing[user] -= 1
                if not missing[user]:
                    ready[bool(sides[user])].append(user)
        if side:
            found.append(tuple(sorted(piece)))
        side = not side
    return found


def _waiting(
    subgraph: Subgraph, sides: Sequence[bool | None]
) -> tuple[dict[int, list[int]], dict[int, int]]:
    """The users of each operator's results, and for how many results each waits."""
    numbers = [n for n, side in enumerate(sides) if side is not None]
    # a result that is left out (-1) is no tensor: nobody waits for it
    makers = {tensor: n for n in numbers for tensor in subgraph.ops[n].outputs if tensor >= 0}
    users: dict[int, list[int]] = {}
    missing = dict.fromkeys(numbers, 0)
    for number in numbers:
        for tensor in subgraph.ops[number].inputs:
            maker = makers.get(tensor)
            if maker is not None:
                users.setdefault(maker, []).append(number)
                missing[number] += 1
    return users, missing
