"""
The activations of an .onnx in onnxruntime's CPU provider, by how long each is needed.

onnxruntime plans buffers before the first run: which output takes over its
input's buffer, which one a buffer of the same size that is free again, and when
each is given back. That much is followed here, op by op, for the graph as it is
in the file. A session with optimizations runs another graph, and kernels take
scratch memory of their own from the same arena.

Source: onnxruntime/core/framework/allocation_planner.cc (PlannerImpl).
"""

from __future__ import annotations

from pytest_edgebudget.graph.arena import Allocation, Buffer, Plan, Step
from pytest_edgebudget.graph.ir import Graph, Subgraph
from pytest_edgebudget.graph.lifetimes import live
from pytest_edgebudget.graph.memory_onnx_buffers import Held, buffers
from pytest_edgebudget.graph.memory_onnx_order import execution_order
from pytest_edgebudget.graph.memory_onnx_session import Session, session

REASONS = (
    "kernels take scratch memory of their own",
    "with optimizations, a session runs other ops, which need less or more",
)


def plan_onnx(graph: Graph, kernels: str = "") -> Plan:
    """
    The largest live set, as `Plan.size` and as the lower bound: places are not planned.

    It is of a session without optimizations. An open dimension counts as 1.
    Graph inputs and initializers are not in it: they are the caller's, and the
    model's. *kernels* makes no difference.
    """
    del kernels
    run = session(graph.main)
    order = execution_order(run.subgraph)
    allocations = tuple(_allocation(item, run, graph.main) for item in buffers(run.subgraph, order))
    lives = live((item.buffer for item in allocations), len(order))
    reasons = [*REASONS, *_unknown(graph.main)]
    if any(op.subgraphs for op in graph.ops):
        reasons.append("what loops and branches hold is left out")
    return Plan(
        runtime="onnxruntime",
        size=max(lives, default=0),
        exact=False,
        reasons=tuple(reasons),
        steps=tuple(Step(0, run.ops[op]) for op in order),
        allocations=allocations,
        live=lives,
        lower_bound=max(lives, default=0),
    )


def _allocation(item: Held, run: Session, subgraph: Subgraph) -> Allocation:
    tensor = run.tensors[item.tensor]
    name = subgraph.tensors[tensor].name
    return Allocation(Buffer(name, item.size, item.first, item.last, 0, tensor), 0)


def _unknown(subgraph: Subgraph) -> list[str]:
    """What to say of tensors whose size cannot be told."""
    made = {index for op in subgraph.ops for index in op.outputs if index >= 0}
    unknown = [
        i for i in made if subgraph.tensors[i].shape is None or not subgraph.tensors[i].dtype
    ]
    return [f"the sizes of {len(unknown):,} tensors are not known"] if unknown else []
