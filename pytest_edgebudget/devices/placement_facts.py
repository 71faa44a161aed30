"""What an accelerator runs of a model, by published constraints: facts for metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.constraints import Table, table_of
from pytest_edgebudget.devices.placement import Placed, leads, partitions, placed
from pytest_edgebudget.facts import OffOp, PlacementFacts, Work
from pytest_edgebudget.graph.arena import Band
from pytest_edgebudget.graph.cost import LayerCost, layer_costs
from pytest_edgebudget.graph.ir import Graph
from pytest_edgebudget.types import Evidence, Profile, Unit
from pytest_edgebudget.units import format_value


def published_placement(graph: Graph, profile: Profile) -> PlacementFacts:
    """
    Where the operators run by the constraints of the profile's accelerator.

    Raises CannotTell for a device without one, and for a model that is no .tflite:
    the tables tell of its operators only.
    """
    table = table_of(profile.accelerator)
    if table is None:
        raise CannotTell(f"{profile.name} has no accelerator, and the CPU runs everything")
    if graph.format != "tflite":
        raise CannotTell(f"what {table.title} takes of a .{graph.format} is not published")
    found, costs = placed(graph, table), layer_costs(graph)
    return PlacementFacts(
        accelerator=table.title,
        total=_work([each for each in found if not each.gone], costs),
        off=tuple(_off(each, costs) for each in found if not each.on),
        partitions=partitions(graph.main, [each.side for each in found]),
        evidence=Evidence.ESTIMATED,
        tool=f"published constraints of {table.name}",
        uncounted=sum(costs[each.index].macs is None for each in found if each.on),
        least=_least(graph, table, found, costs),
        most=_most(graph, table, costs),
        off_chip=off_chip(table, found, costs),
        notes=tuple(_notes(table, found, costs)),
    )


def _work(operators: Sequence[Placed], costs: Sequence[LayerCost]) -> Work:
    return Work(len(operators), sum(costs[each.index].macs or 0 for each in operators))


def _off(each: Placed, costs: Sequence[LayerCost]) -> OffOp:
    first = each.reasons[0]
    reason = f"{first}; {first.instead}" if first.instead else str(first)
    return OffOp(each.op.name.split(";")[0], each.op.kind, costs[each.index].macs, reason)


def _least(
    graph: Graph, table: Table, found: Sequence[Placed], costs: Sequence[LayerCost]
) -> Work | None:
    """
    What is off where a compiler stops at what needs the result of an operator that is off.

    "Everything after it executes on the CPU" leaves open what that is in a model
    with branches; None where a compiler does not stop.
    """
    if not table.stops:
        return None
    sure: list[Placed] = []
    made: set[int] = set()  # by what is surely off
    for each in found:
        if not each.on and (
            each.reasons[0].cause != "order" or not made.isdisjoint(each.op.inputs)
        ):
            sure.append(each)
            made.update(() if leads(graph.main, each.op, table) else each.op.outputs)
    return _work(sure, costs)


def _most(graph: Graph, table: Table, costs: Sequence[LayerCost]) -> Work | None:
    """What is off if the compiler refuses all that it may refuse."""
    if not any(op.kind in table.doubtful for op in graph.ops):
        return None
    strict = replace(table, ops=table.ops - table.doubtful)
    return _work([each for each in placed(graph, strict) if not each.on], costs)


def _notes(table: Table, found: Sequence[Placed], costs: Sequence[LayerCost]) -> list[str]:
    notes = [f"by published constraints of {table.title}"]
    if doubtful := sorted({each.op.kind for each in found if each.on} & table.doubtful):
        notes.append(f"its compiler may refuse {', '.join(doubtful)} of large tensors")
    if table.cache is not None:
        held, room = (format_value(n, Unit.BYTES) for n in (_held(found, costs), table.cache))
        notes.append(f"{held} of weights on it, about {room} of its own memory")
    return notes


def _held(found: Sequence[Placed], costs: Sequence[LayerCost]) -> int:
    """Bytes of weights of what the accelerator runs."""
    return sum(costs[each.index].weight_bytes for each in found if each.on and not each.gone)


def off_chip(table: Table, found: Sequence[Placed], costs: Sequence[LayerCost]) -> Band | None:
    """
    Bytes of weights that the accelerator's own memory does not hold.

    The middle: those of its operators, less the memory that the documentation
    gives. The ends: as much memory, and as much growth of weights in compiling,
    as was ever published.
    """
    if table.cache is None or table.cache_most is None:
        return None
    held = _held(found, costs)
    return Band(
        max(0, held - table.cache),
        max(0, held - table.cache_most),
        math.ceil(held * table.growth),
    )
