"""
LiteRT's memory plan, as its arena planner makes it.

Each subgraph has an arena of its own, which its planner lays out once all its
ops are prepared; those of subgraphs that an IF or a WHILE runs are there as
soon as the main one is. What lies outside the arenas is kept for good: variables,
what kernels computed from constants, and what they cannot size beforehand.

Sources: tflite/arena_planner.cc, tflite/core/subgraph.cc, tflite/kernels/if.cc,
while.cc and call_once.cc of LiteRT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_edgebudget.graph.arena import Allocation, Band, Buffer, Plan
from pytest_edgebudget.graph.ir import Graph
from pytest_edgebudget.graph.lifetimes import NEVER, Lifetimes, lifetimes, live
from pytest_edgebudget.graph.memory_litert_calls import plan_subgraphs
from pytest_edgebudget.graph.memory_litert_subgraph import Placed, Planned

KERNELS = ("reference", "builtin")
"""The sets of kernels that use this plan; XNNPACK does not."""


def plan_litert(graph: Graph, kernels: str = "") -> Plan:
    """
    The arenas of the main subgraph and of those that it runs, one behind the other.

    *kernels*: "builtin" for the optimised ones, which gather windows of a
    convolution first (im2col); anything else is the reference kernels, with
    which a plan is also shown for what runs on a delegate.

    Tensors of the heap lie behind the arenas: their place is no plan of the
    runtime, and the plan is then not exact.
    """
    life = lifetimes(graph)
    planned = plan_subgraphs(graph, kernels)
    reasons = [reason for part in planned.values() for reason in part.reasons]
    allocations = _laid_out(planned, graph, life)
    heap = sum(item.size for part in planned.values() for item in part.heap)
    if heap:
        reasons.append(f"{heap:,} bytes of tensors are allocated on the heap when their op runs")
    if not life.complete:
        reasons.append("subgraphs call each other too often to be followed")
    lives = live((allocation.buffer for allocation in allocations), len(life.steps))
    kept = sum(part.persistent for part in planned.values())
    bound = max((*lives, *(item.buffer.size for item in allocations)), default=0)
    size = heap + sum(part.size for part in planned.values())
    return Plan(
        runtime="litert",
        size=size if all(part.searched for part in planned.values()) else bound,
        exact=not reasons,
        reasons=tuple(dict.fromkeys(reasons)),
        steps=life.steps,
        allocations=tuple(allocations),
        live=lives,
        lower_bound=bound,
        persistent=Band(kept, kept, kept),
    )


def shared_memory(graph: Graph) -> Mapping[int, int]:
    """For each tensor of the main subgraph that lies in another's memory, that other."""
    return plan_subgraphs(graph, "")[0].roots


def _laid_out(planned: Mapping[int, Planned], graph: Graph, life: Lifetimes) -> list[Allocation]:
    """All arenas, one behind the other, and the heap behind them."""
    found, base = [], 0
    for number, part in planned.items():
        moments = _Moments(number, len(graph.subgraphs[number].ops) - 1, life)
        found += [moments.allocation(item, base + item.offset) for item in part.placed]
        base += part.size
    for number, part in planned.items():
        moments = _Moments(number, len(graph.subgraphs[number].ops) - 1, life)
        for item in part.heap:
            found.append(moments.allocation(item, base))
            base += item.size
    return found


@dataclass(frozen=True, slots=True)
class _Moments:
    """From the nodes of a subgraph, the last of which is *end*, to steps of the plan."""

    subgraph: int
    end: int
    life: Lifetimes

    def allocation(self, item: Placed, offset: int) -> Allocation:
        """An item of the subgraph's arena."""
        ops, end = self.life.ops, min(item.last, self.end)
        first, _ = self.life.in_steps(ops.get((self.subgraph, item.first), NEVER))
        _, last = self.life.in_steps(ops.get((self.subgraph, end), NEVER))
        return Allocation(
            Buffer(item.name, item.size, first, last, self.subgraph, item.tensor), offset
        )
