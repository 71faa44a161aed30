"""
The arena on a microcontroller, from a run of TensorFlow Lite Micro on x86-64.

What differs between the two: pointers take 8 bytes there and 4 on the device,
so that the part that stays for good is smaller on the device and never larger;
and the device may have other kernels, whose scratch memory and data are added
by their own formulas.

Sure on every 32-bit target is what holds no pointer (the two numbers of each
output channel, variables) and half of the structures that consist of pointers
and words alone: TfLiteEvalTensor (24 bytes, 12 there) and NodeAndRegistration
(64 bytes, 32 there) of micro_allocator.h. The runtime's own objects and what
kernels keep beside that are not counted in the low end.
"""

from __future__ import annotations

from pytest_edgebudget.graph.arena import Arena, ArenaRun, Plan
from pytest_edgebudget.graph.ir import Graph
from pytest_edgebudget.graph.memory_tflm import CMSIS_NN, plan_tflm
from pytest_edgebudget.graph.memory_tflm_persistent import OPERATOR, TENSOR, unchanging

REFERENCE = frozenset(("", "reference"))


def arena_on_device(graph: Graph, plan: Plan, kernels: str, run: ArenaRun) -> Arena:
    """
    The smallest arena of *graph* on a 32-bit device.

    *plan* is that with the device's *kernels*; *run* had the reference kernels.
    """
    head = run.head if kernels in REFERENCE else plan.size
    upper = run.head if kernels in REFERENCE else plan.upper
    more, most = _kept(graph, kernels)
    planning = run.smallest - run.tail  # the head, or what it takes to plan it
    if planning > run.head:
        planning += max(0, plan.transient - plan_tflm(graph).transient)
    value = run.tail + more + max(planning, head)
    return Arena(
        value=value,
        low=min(value, head + sure_tail(graph)),
        high=None if upper is None else max(value, run.tail + most + max(planning, upper)),
        head=head,
    )


def sure_tail(graph: Graph) -> int:
    """Bytes that stay for good on any 32-bit target, with any kernels."""
    tensors = sum(len(subgraph.tensors) for subgraph in graph.subgraphs)
    ops = sum(len(subgraph.ops) for subgraph in graph.subgraphs)
    return (TENSOR * tensors + OPERATOR * ops) // 2 + unchanging(graph)


def _kept(graph: Graph, kernels: str) -> tuple[int, int]:
    """The least and the most that the kernels keep beside what the reference kernels keep."""
    if kernels not in CMSIS_NN:
        return 0, 0
    from pytest_edgebudget.graph.memory_tflm_cmsis import kept

    return kept(graph, kernels)
