"""The planned memory of two versions: what lies in it where the new one is fullest."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_edgebudget.changes.match import Match
from pytest_edgebudget.changes.nodes import Where
from pytest_edgebudget.changes.split import Setting, Split
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.arena import Plan
from pytest_edgebudget.types import Evidence

INPUT = "(input)"
GAPS = "(gaps between buffers)"
TAIL = "(what stays for good)"
ROOM = "(room that this step had below the fullest)"


@dataclass(frozen=True, slots=True)
class Plans:
    """
    Two plans, taken apart at the same step; *step* is the op at which the new one is fullest.

    *moved*: the old one was fullest at another.
    """

    before: Split
    after: Split
    step: Where
    moved: bool


def planned(graph: Graph, setting: Setting) -> Plan | None:
    """The plan of the runtime that is asked for; None where it has none."""
    from pytest_edgebudget.devices.kernels import kernels_of
    from pytest_edgebudget.graph.memory import PLANNED, plan
    from pytest_edgebudget.measure.gather import PLANNERS

    runtime = PLANNERS.get(setting.runtime, setting.runtime)
    if runtime not in PLANNED:
        return None
    found = plan(graph, runtime, kernels_of(setting.profile))
    return found if found.live else None


def by_plan(
    graphs: tuple[Graph, Graph], plans: tuple[Plan, Plan], matched: Match, *, whole: bool
) -> Plans:
    """
    Bytes at the step at which the new plan is fullest, in both, by the op that wrote them.

    What the old plan had at that step less than at its own fullest is a part of
    the rest (`ROOM`): so much could the step grow before it counted. *whole*:
    with what TensorFlow Lite Micro keeps for good.
    """
    old, new = plans
    step = _where(new, new.peak)
    earlier = {b.where: a.where for a, b in matched.pairs}.get(step)
    there = [i for i, _ in enumerate(old.steps) if _where(old, i) == earlier and i < len(old.live)]
    same = max(there, key=lambda i: old.live[i]) if there else old.peak
    exact = all(plan.exact and not (whole and plan.arena) for plan in plans)
    evidence = Evidence.EXACT if exact else Evidence.ESTIMATED
    before = _at(graphs[0], old, same, whole=whole, evidence=evidence)
    after = _at(graphs[1], new, new.peak, whole=whole, evidence=evidence)
    return Plans(before, after, step, old.live[same] != max(old.live))


def _where(plan: Plan, step: int) -> Where:
    return plan.steps[step].subgraph, plan.steps[step].op


def _at(graph: Graph, plan: Plan, step: int, *, whole: bool, evidence: Evidence) -> Split:
    parts: dict[Where, float] = {}
    rest = {INPUT: 0.0}
    makers = _makers(graph)
    for buffer in (allocation.buffer for allocation in plan.at(step)):
        key = _where(plan, buffer.first) if buffer.scratch else None
        key = key or makers.get((buffer.subgraph, buffer.tensor))
        if key is None:
            rest[INPUT] += buffer.size
        else:
            parts[key] = parts.get(key, 0) + buffer.size
    held = sum(parts.values()) + rest[INPUT]
    most = max(plan.live)
    rest |= {ROOM: most - held, GAPS: plan.size - most}
    if whole and plan.arena is not None:
        rest[TAIL] = plan.arena.value - plan.size
    return Split(parts, rest, evidence)


def _makers(graph: Graph) -> dict[tuple[int, int], Where]:
    """Which op writes each tensor first."""
    return {
        (number, tensor): (number, place)
        for number, subgraph in enumerate(graph.subgraphs)
        for place, op in reversed(tuple(enumerate(subgraph.ops)))
        for tensor in op.outputs
    }
