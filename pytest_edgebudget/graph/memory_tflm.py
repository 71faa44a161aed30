"""
TensorFlow Lite Micro's memory plan, as its allocator makes it.

Sources: micro_allocation_info.cc (what is planned, and for how long),
micro_allocator.cc (CommitStaticMemoryPlan) and
memory_planner/greedy_memory_planner.cc of tflite-micro. All tensors and scratch
buffers of all subgraphs are in one plan: the largest first, each at the lowest
offset that is free while it lives; of equal sizes, the one that comes last in
the file first. Sizes are multiples of 16 bytes.

Tensors that nothing uses are planned, too (they share no byte with one another,
and all with the rest), and those of subgraphs that nobody calls. Variables and
constants are not: they lie in the persistent part and in flash.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_edgebudget.graph.arena import Allocation, Buffer, Plan
from pytest_edgebudget.graph.dtypes import BITS
from pytest_edgebudget.graph.first_fit import first_fit
from pytest_edgebudget.graph.ir import Graph, Tensor
from pytest_edgebudget.graph.lifetimes import NEVER, Lifetimes, Span, lifetimes, live, lower_bound
from pytest_edgebudget.graph.memory_sizes import aligned, held_bytes
from pytest_edgebudget.graph.memory_tflm_persistent import persistent, transient
from pytest_edgebudget.graph.memory_tflm_scratch import Scratch, scratch

ALIGNMENT = 16
"""micro_arena_constants.h, MicroArenaBufferAlignment."""

OFFLINE = "OfflineMemoryAllocation"
"""The metadata that fixes offsets (docs/memory_management.md of tflite-micro)."""

COMPRESSED = "COMPRESSION_METADATA"
"""The metadata of tensors that kernels unpack before use (compression/metadata.fbs)."""

CMSIS_NN = "cmsis-nn"

_ONLINE = -1


@dataclass(frozen=True, slots=True)
class _Request:
    """A buffer, its *span* in moments, and its *offset* where the file fixes it."""

    buffer: Buffer
    span: Span
    offset: int = _ONLINE

    @property
    def room(self) -> int:
        """Bytes that the buffer takes in the arena."""
        return aligned(self.buffer.size, ALIGNMENT)


def plan_tflm(graph: Graph, kernels: str = "") -> Plan:
    """
    The non-persistent part of the arena.

    *kernels*: "" for the reference kernels, whose scratch memory is known op by
    op; with "cmsis-nn" and any other the size is a lower bound.
    """
    life = lifetimes(graph)
    reasons: list[str] = []
    kernel = _kernels(graph, kernels, reasons)
    requests = [*_tensors(graph, life, reasons), *_scratch(graph, life, kernel, reasons)]
    if graph.format != "tflite":
        reasons.append("TensorFlow Lite Micro runs .tflite models only")
    if not life.complete:
        reasons.append("subgraphs call each other too often to be followed")
    return _placed(graph, requests, life, reasons)


def _kernels(graph: Graph, kernels: str, reasons: list[str]) -> Scratch:
    """What tells the scratch memory of an op."""
    if kernels != CMSIS_NN:
        if kernels:
            reasons.append(f"the scratch memory of {kernels} kernels is not known")
        return scratch
    from pytest_edgebudget.graph.memory_tflm_cmsis import integer, least_scratch

    ops = ((op, subgraph) for subgraph in graph.subgraphs for op in subgraph.ops)
    asking = sorted({op.kind for op, subgraph in ops if integer(op, subgraph.tensors)})
    what = " and ".join(asking) or "its kernels"
    reasons.append(f"CMSIS-NN may ask for more scratch memory than this, by CPU, for {what}")
    return least_scratch


def _tensors(graph: Graph, life: Lifetimes, reasons: list[str]) -> Iterator[_Request]:
    offsets = _offline(graph, reasons)
    earlier = 0  # tensors of the subgraphs before
    for number, subgraph in enumerate(graph.subgraphs):
        handles = {i for op in subgraph.ops if op.kind == "VAR_HANDLE" for i in op.outputs}
        for index, tensor in enumerate(subgraph.tensors):
            if index in handles or not _planned(tensor, reasons):
                continue
            span = life.tensors[number][index]
            buffer = Buffer(tensor.name, held_bytes(tensor), *life.in_steps(span), number, index)
            yield _Request(buffer, span, offsets[earlier + index] if offsets else _ONLINE)
        earlier += len(subgraph.tensors)


def _planned(tensor: Tensor, reasons: list[str]) -> bool:
    """Whether the tensor lies in the plan; a type of no fixed size is a reason."""
    if tensor.data is not None or tensor.variable:
        return False
    if tensor.dtype not in BITS:
        reasons.append(
            f"{tensor.name}: the size of {tensor.dtype or 'untyped'} tensors is not known"
        )
    return held_bytes(tensor) != 0


def _offline(graph: Graph, reasons: list[str]) -> tuple[int, ...]:
    """The offsets that the file fixes, for all subgraphs' tensors; -1: the runtime chooses."""
    for note in graph.metadata:
        if note.name == COMPRESSED:
            reasons.append("compressed tensors need room to unpack, which is not known")
        if note.name == OFFLINE:
            numbers = struct.unpack(f"<{note.size // 4}i", note.data[: note.size // 4 * 4])
            count = sum(len(subgraph.tensors) for subgraph in graph.subgraphs)
            if len(numbers) >= 3 and numbers[2] == count == len(numbers) - 3:
                return numbers[3:]
            reasons.append("its offline memory plan is not one of this model's tensors")
    return ()


def _scratch(
    graph: Graph, life: Lifetimes, kernel: Scratch, reasons: list[str]
) -> Iterator[_Request]:
    for number, subgraph in enumerate(graph.subgraphs):
        for index, op in enumerate(subgraph.ops):
            sizes = kernel(op, subgraph.tensors)
            if isinstance(sizes, str):
                reasons.append(sizes)
                continue
            span = life.ops.get((number, index), NEVER)
            for size in sizes:
                name = f"{op.name}: scratch"
                yield _Request(Buffer(name, size, *life.in_steps(span), number), span)


def _placed(graph: Graph, requests: list[_Request], life: Lifetimes, reasons: list[str]) -> Plan:
    # The runtime lists online buffers from the last to the first before it sorts.
    fixed = [request for request in requests if request.offset != _ONLINE]
    online = [request for request in reversed(requests) if request.offset == _ONLINE]
    online.sort(key=lambda request: -request.room)
    order = [*fixed, *online]
    offsets = first_fit([(item.room, *item.span, item.offset) for item in order])
    bound = lower_bound([(item.buffer.size, item.span) for item in order])
    if offsets is None:
        reasons.append("too many buffers live at once to be placed one by one")
    places = offsets or ()
    ends = (place + item.room for place, item in zip(places, order, strict=False))
    allocations = tuple(
        Allocation(item.buffer, at) for at, item in zip(places, order, strict=False)
    )
    return Plan(
        runtime="tflm",
        size=max(ends, default=0) if offsets is not None else bound,
        exact=not reasons,
        reasons=tuple(dict.fromkeys(reasons)),
        steps=life.steps,
        allocations=tuple(sorted(allocations, key=lambda a: (a.offset, a.buffer.first))),
        live=live([item.buffer for item in order], len(life.steps)),
        lower_bound=bound,
        persistent=persistent(graph),
        transient=transient(graph, [item.buffer for item in order]),
    )
