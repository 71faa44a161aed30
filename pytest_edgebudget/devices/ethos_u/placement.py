"""Which operators Vela leaves to the CPU, from the file that it wrote, with its own reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pytest_edgebudget.devices.constraints import table_of
from pytest_edgebudget.devices.ethos_u.report import Compiled, Refused
from pytest_edgebudget.devices.placement import placed
from pytest_edgebudget.facts import OffOp, PlacementFacts, Work
from pytest_edgebudget.graph.cost import LayerCost, layer_costs
from pytest_edgebudget.graph.ir import Graph, Op, Subgraph
from pytest_edgebudget.graph.memory_tflm_scratch import ETHOS_U
from pytest_edgebudget.types import Evidence

UNTOLD = "Vela leaves it to the CPU and does not say why"


def vela_placement(graph: Graph, found: Compiled) -> PlacementFacts:
    """
    Where the operators of *graph* run, by what Vela made of it.

    An operator whose result is still made by an ordinary operator of the file
    that Vela wrote runs on the CPU. What is in it no more is on the NPU, or was
    computed while compiling (sizes of fixed shapes).
    """
    costs = layer_costs(graph)
    left, gone = _left(found.graph.main), _gone(graph, found)
    off, on = [], []
    for index, op in enumerate(graph.ops):
        if left[_result(graph.main, op)] > 0:
            left[_result(graph.main, op)] -= 1
            off.append(index)
        elif index not in gone:
            on.append(index)
    table = table_of(found.settings.accelerator)
    return PlacementFacts(
        accelerator=table.title if table else found.settings.accelerator,
        total=Work(len(off) + len(on), sum(costs[index].macs or 0 for index in (*off, *on))),
        off=tuple(_off(graph, index, costs, found.refused) for index in off),
        partitions=found.pieces,
        evidence=Evidence.EXACT,
        tool=found.tool,
        uncounted=sum(costs[index].macs is None for index in on),
    )


def _left(subgraph: Subgraph) -> Counter[str]:
    """Names of what ordinary operators make in the compiled file."""
    return Counter(_result(subgraph, op) for op in subgraph.ops if op.kind != ETHOS_U)


def _result(subgraph: Subgraph, op: Op) -> str:
    return subgraph.tensors[op.outputs[0]].name if op.outputs and op.outputs[0] >= 0 else ""


def _gone(graph: Graph, found: Compiled) -> frozenset[int]:
    """Operators that a compiler computes: their results follow from constants and sizes."""
    table = table_of(found.settings.accelerator)
    return frozenset(each.index for each in placed(graph, table) if each.gone) if table else _NONE


_NONE = frozenset[int]()


def _off(graph: Graph, index: int, costs: Sequence[LayerCost], refused: Sequence[Refused]) -> OffOp:
    op = graph.ops[index]
    reason = _reason(_result(graph.main, op), op.kind, refused)
    return OffOp(op.name.split(";")[0], op.kind, costs[index].macs, reason)


def _reason(name: str, kind: str, refused: Sequence[Refused]) -> str:
    """
    What Vela said of the operator.

    A fused activation is an operator of its own to Vela, and has the name; it
    drags its layer along.
    """
    same = [each for each in refused if each.name == name]
    own = [each for each in same if each.kind == kind]
    for each in (*own, *same):
        return each.reason if each.kind == kind else f"its {each.kind}: {each.reason}"
    return UNTOLD
