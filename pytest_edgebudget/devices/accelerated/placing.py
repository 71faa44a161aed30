"""What a worker found out about where a model ran, as facts: operator by operator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_edgebudget.devices.accelerated.nodes import split_by_nodes
from pytest_edgebudget.devices.accelerated.split import Split
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.placement import pieces
from pytest_edgebudget.facts import OffOp, PlacementFacts, Work
from pytest_edgebudget.graph.cost import LayerCost, layer_costs
from pytest_edgebudget.graph.ir import Graph
from pytest_edgebudget.types import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """
    What a worker told: *told* (see ``worker.runtimes.base.Placed``).

    *evidence* is that of what ran there, *tool* what told.
    """

    told: Mapping[str, Any]
    evidence: Evidence
    tool: str


def placement_facts(account: Account, graph: Graph) -> PlacementFacts:
    """
    Where the operators of *graph* ran.

    Raises CannotTell where what was told does not fit the model.
    """
    told = account.told
    split = _SPLITS[told["how"]](told, graph)
    costs = layer_costs(graph)[: len(graph.main.ops)]
    return PlacementFacts(
        accelerator=str(told["accelerator"]),
        total=_work(costs, range(len(costs))),
        off=tuple(_off(costs[number], reason) for number, reason in sorted(split.off.items())),
        partitions=split.pieces,
        evidence=account.evidence,
        tool=account.tool,
        uncounted=sum(
            each.macs is None for number, each in enumerate(costs) if number not in split.off
        ),
        least=_bound(costs, split, min),
        most=_bound(costs, split, max),
        notes=split.notes,
    )


def _off(cost: LayerCost, reason: str) -> OffOp:
    return OffOp(cost.name, cost.kind, cost.macs, reason)


def _work(costs: tuple[LayerCost, ...], numbers: Iterable[int]) -> Work:
    chosen = [costs[number] for number in numbers]
    return Work(len(chosen), sum(each.macs or 0 for each in chosen))


def _bound(costs: tuple[LayerCost, ...], split: Split, pick: Any) -> Work | None:
    """What is off at the least or at the most, of all that may be; None where it is sure."""
    if not split.others:
        return None
    works = [_work(costs, off) for off in (split.off, *split.others)]
    return Work(pick(work.ops for work in works), pick(work.macs for work in works))


def _by_counts(told: Mapping[str, Any], graph: Graph) -> Split:
    """
    LiteRT's GPU says how many operators it runs, and which kinds it does not.

    It runs one piece of the model, the largest of those that it could
    (max_delegated_partitions in tensorflow/lite/delegates/gpu). Where that has
    as many operators as were told, it is known which they are.
    """
    operators = graph.main.ops
    _same_number(told, graph)
    taken = int(told["on"])
    if taken == len(operators):
        return Split({}, 1)
    why = {str(kind): _clause(str(reason)) for kind, reason in told["reasons"]}
    found = pieces(graph.main, [op.kind not in why for op in operators])
    fitting = [piece for piece in found if len(piece) == taken] if taken else [()]
    if not fitting:
        count = len(operators)
        raise CannotTell(f"the GPU runs {taken} of {count} operators, and does not say which")
    first, *others = (_all_but(piece, graph, why) for piece in fitting)
    return Split(first, min(taken, 1), others=tuple(others))


def _all_but(piece: Iterable[int], graph: Graph, why: Mapping[str, str]) -> dict[int, str]:
    kept = set(piece)
    alone = "the GPU runs one piece of the model, the largest"
    return {
        number: why.get(op.kind, alone)
        for number, op in enumerate(graph.main.ops)
        if number not in kept
    }


def _by_graph(told: Mapping[str, Any], graph: Graph) -> Split:
    """The interpreter's own graph after the delegate took its pieces."""
    _same_number(told, graph)
    on = {number for piece in told["pieces"] for number in piece}
    reason = f"{told['accelerator']} does not take it"
    off = {number: reason for number in range(len(graph.main.ops)) if number not in on}
    return Split(off, len(told["pieces"]))


def _same_number(told: Mapping[str, Any], graph: Graph) -> None:
    if told["operators"] != len(graph.main.ops):
        count = len(graph.main.ops)
        raise CannotTell(
            f"the runtime tells of {told['operators']} operators, the file has {count}"
        )


def _clause(reason: str) -> str:
    return reason[:1].lower() + reason[1:]


_SPLITS = {"counts": _by_counts, "graph": _by_graph, "nodes": split_by_nodes}
