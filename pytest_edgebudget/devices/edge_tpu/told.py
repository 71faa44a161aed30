"""What runs on the Edge TPU as its compiler told it: by a report, or by a compiled model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.constraints import Table
from pytest_edgebudget.devices.edge_tpu.report import Report
from pytest_edgebudget.devices.placement import placed
from pytest_edgebudget.facts import OffOp, PlacementFacts, Work
from pytest_edgebudget.graph.arena import Band
from pytest_edgebudget.graph.cost import LayerCost, layer_costs
from pytest_edgebudget.graph.ir import Graph, Op
from pytest_edgebudget.types import Evidence, Unit
from pytest_edgebudget.units import format_value

COMPILED = "edgetpu-custom-op"
"""What the compiler puts in the place of all that the Edge TPU runs."""


def is_compiled(graph: Graph) -> bool:
    """Whether the compiler has been at the model already."""
    return any(op.custom and op.kind == COMPILED for op in graph.ops)


def placement_of_compiled(graph: Graph, table: Table) -> PlacementFacts:
    """What a compiled model leaves to the CPU: all but the compiler's own operator."""
    costs = layer_costs(graph)
    off = [n for n, op in enumerate(graph.ops) if op.kind != COMPILED]
    reasons = dict.fromkeys(off, "the compiler left it to the CPU")
    return PlacementFacts(
        accelerator=table.title,
        total=_work(range(len(graph.ops)), costs),
        off=_off(graph, costs, reasons),
        partitions=len(graph.ops) - len(off),
        evidence=Evidence.EXACT,
        tool="the compiled model",
        uncounted=len(graph.ops) - len(off),
        notes=("a compiled model: what is in its Edge TPU part cannot be counted",),
    )


def placement_of_report(graph: Graph, table: Table, report: Report) -> PlacementFacts:
    """
    Where the operators run as a compiler's report says it.

    A report counts operators by kind. Where a kind is on both sides, those are
    taken to be off that the published constraints rule out, then the last ones;
    the ends of what is off are then the cheapest and the dearest of that kind.

    Raises CannotTell for a report that is not of this model.
    """
    costs = layer_costs(graph)
    reasons = _reasons(graph, table, report)
    least, most = _ends(graph, costs, reasons)
    return PlacementFacts(
        accelerator=table.title,
        total=_work(range(len(graph.ops)), costs),
        off=_off(graph, costs, reasons),
        partitions=report.subgraphs,
        evidence=Evidence.EXACT if least == most else Evidence.ESTIMATED,
        tool=report.tool,
        uncounted=sum(costs[n].macs is None for n in range(len(graph.ops)) if n not in reasons),
        least=least,
        most=most,
        off_chip=Band(0, 0, 0) if report.refused else report.off_chip,
        notes=tuple(_notes(report)),
    )


def _reasons(graph: Graph, table: Table, report: Report) -> Mapping[int, str]:
    """The operators that are off, by their number, each with the compiler's words."""
    if report.refused:
        return dict.fromkeys(range(len(graph.ops)), report.refused)
    expected = placed(graph, table)
    found: dict[int, str] = {}
    for kind, numbers in _by_kind(graph.ops).items():
        rows = [row for row in report.rows if row.kind == kind]
        count = sum(row.count for row in rows)
        if count != len(numbers):
            raise CannotTell(
                f"the model has {len(numbers)} {kind}, and the report of {report.tool} {count}"
            )
        words = " or ".join(dict.fromkeys(row.status for row in rows if not row.mapped))
        off = sum(row.count for row in rows if not row.mapped)
        likely = sorted(numbers, key=lambda n: (expected[n].on, -n))
        found |= dict.fromkeys(likely[:off], words)
    return found


def _by_kind(ops: Sequence[Op]) -> Mapping[str, list[int]]:
    """Numbers of the operators of each kind, as the compiler names it."""
    found: dict[str, list[int]] = {}
    for number, op in enumerate(ops):
        found.setdefault("CUSTOM" if op.custom else op.kind, []).append(number)
    return found


def _ends(
    graph: Graph, costs: Sequence[LayerCost], reasons: Mapping[int, str]
) -> tuple[Work, Work]:
    """What is off with the cheapest and with the dearest operators of each kind."""
    low = high = 0
    for numbers in _by_kind(graph.ops).values():
        macs = sorted(costs[n].macs or 0 for n in numbers)
        off = sum(n in reasons for n in numbers)
        low += sum(macs[:off])
        high += sum(macs[len(macs) - off :])
    return Work(len(reasons), low), Work(len(reasons), high)


def _work(numbers: Iterable[int], costs: Sequence[LayerCost]) -> Work:
    macs = [costs[n].macs or 0 for n in numbers]
    return Work(len(macs), sum(macs))


def _off(graph: Graph, costs: Sequence[LayerCost], reasons: Mapping[int, str]) -> tuple[OffOp, ...]:
    return tuple(
        OffOp(costs[n].name, graph.ops[n].kind, costs[n].macs, reasons[n]) for n in sorted(reasons)
    )


def _notes(report: Report) -> list[str]:
    notes = [f"told by {report.tool}"]
    if report.on_chip:
        notes.append(f"it keeps {format_value(report.on_chip.value, Unit.BYTES)} of parameters")
    return notes
