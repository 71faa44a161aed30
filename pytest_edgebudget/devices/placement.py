"""Which operators of a model run on the accelerator of a device, and which do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_edgebudget.devices.constraints import Table, Violation, table_of, violations
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
    """

    index: int
    op: Op
    on: bool
    where: str
    reasons: tuple[Violation, ...] = ()
    free: bool = False


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
    ended = ""
    for index, op in enumerate(graph.ops):
        reasons = violations(table, graph.main, op)
        if table.stops and not reasons and ended:
            reasons = (Violation(f"everything after {ended} runs on the {table.rest}"),)
        if reasons and not ended:
            ended = f"the first operator that is not taken, {op.kind}"
        on = not reasons
        where = table.place if on else table.rest
        found.append(Placed(index, op, on, where, reasons, op.kind in table.free))
    return tuple(found)


def partitions(subgraph: Subgraph, on: Sequence[bool]) -> int:
    """
    How many pieces of the model the accelerator gets.

    Like a delegate's partitioning (tensorflow/lite/graph_info.cc): ready
    operators of one side are collected until only the other side has any.
    """
    makers = {tensor for op in subgraph.ops for tensor in op.outputs}
    ready = {index for index in range(len(subgraph.tensors)) if index not in makers}
    waiting, pieces, side = list(range(len(subgraph.ops))), 0, None
    while waiting:
        first = next((n for n in waiting if _ready(subgraph.ops[n], ready)), waiting[0])
        side = on[first]
        pieces += side
        waiting = _collect(subgraph, waiting, ready, on, first)
    return pieces


def _collect(
    subgraph: Subgraph, waiting: list[int], ready: set[int], on: Sequence[bool], first: int
) -> list[int]:
    """What still waits after all of one side that can run have run."""
    rest: list[int] = []
    for number in waiting:
        op = subgraph.ops[number]
        if number == first or (on[number] is on[first] and _ready(op, ready)):
            ready.update(op.outputs)
        else:
            rest.append(number)
    return rest


def _ready(op: Op, ready: set[int]) -> bool:
    return all(index < 0 or index in ready for index in op.inputs)
