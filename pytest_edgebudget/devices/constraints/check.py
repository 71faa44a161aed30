"""One operator against one table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_edgebudget.devices.constraints.names import CHECKS
from pytest_edgebudget.devices.constraints.tables import Table
from pytest_edgebudget.devices.constraints.view import View
from pytest_edgebudget.graph.ir import Graph, Op, Subgraph


@dataclass(frozen=True, slots=True)
class Violation:
    """
    Why an operator is not supported.

    Attributes:
        message: what would be required.
        detail: what it has instead, such as "stride 4x4"; "" where that says nothing.
        instead: what to change.
        cause: "operator" where there is no such operator at all, "condition" where
            it does not meet one, "order" where it comes after one that is not taken.
    """

    message: str
    detail: str = ""
    instead: str = ""
    cause: str = "condition"

    def __str__(self) -> str:
        return f"{self.message} ({self.detail})" if self.detail else self.message


def violations(table: Table, subgraph: Subgraph, op: Op) -> tuple[Violation, ...]:
    """Why *op* is not supported, all reasons in the table's order; empty when it is."""
    if not table.knows(op):
        return (Violation(f"{table.title} has no {op.kind}", cause="operator"),)
    if op.custom:  # conditions are on the format's own operators
        return ()
    view, found = View(subgraph, op), []
    for each in table.of(op.kind):
        detail = CHECKS[each.check](view, each.options)
        if detail:
            found.append(Violation(each.message, detail, each.instead))
    return tuple(found)


def refusals(table: Table, graph: Graph) -> Iterator[tuple[Op, Violation]]:
    """The operators of all subgraphs that are not supported, each with its first reason."""
    for subgraph in graph.subgraphs:
        for op in subgraph.ops:
            for reason in violations(table, subgraph, op)[:1]:
                yield op, reason
