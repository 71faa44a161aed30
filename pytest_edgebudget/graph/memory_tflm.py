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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_edgebudget.graph.arena import Allocation, Band, Buffer, Plan
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

CMSIS_NN = frozenset(("cmsis-nn", "cmsis-nn-plain", "cmsis-nn-dsp", "cmsis-nn-mve"))

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


Requests = tuple[_Request, ...]


def plan_tflm(graph: Graph, kernels: str = "") -> Plan:
    """
    The non-persistent part of the arena.

    *kernels*: "" for the reference kernels, whose scratch memory is known op by
    op. With "cmsis-nn" the size is the least of its builds and *upper* the most;
    "cmsis-nn-plain", "-dsp" and "-mve" are one of them. With any other the size
    is a lower bound.
    """
    life = lifetimes(graph)
    reasons: list[str] = []
    tensors = tuple(_tensors(graph, life, reasons))
    if graph.format != "tflite":
        reasons.append("TensorFlow Lite Micro runs .tflite models only")
    if not life.complete:
        reasons.append("subgraphs call each other too often to be followed")
    if kernels in CMSIS_NN:
        return _with_cmsis(graph, kernels, tensors, life, reasons)
    if kernels not in ("", "reference"):
        reasons.append(f"the scratch memory of {kernels} kernels is not known")
    requests = (*tensors, *_scratch(graph, life, scratch, reasons))
    return _placed(graph, requests, life, reasons)


def _with_cmsis(
    graph: Graph, kernels: str, tensors: Requests, life: Lifetimes, reasons: list[str]
) -> Plan:
    """The smallest of the plans with the least and the most scratch of each build."""
    from pytest_edgebudget.graph.memory_tflm_cmsis import kept, scratches

    choices = scratches(kernels)
    asked = dict.fromkeys(tuple(_scratch(graph, life, kernel, reasons)) for kernel in choices)
    plans = [_placed(graph, (*tensors, *requests), life, reasons) for requests in asked]
    least = min(plans, key=lambda found: found.size)
    upper = max(found.size for found in plans) if all(found.exact for found in plans) else None
    more, most = kept(graph, kernels)
    band = persistent(graph)
    return replace(
        least,
        exact=False,  # no runtime with these kernels was compared
        upper=upper,
        reasons=(*least.reasons, _by_build(graph, choices, least.size, upper)),
        persistent=Band(band.value + more, band.low + more, band.high + most),
        transient=max(found.transient for found in plans),
    )


def _by_build(graph: Graph, kernels: Sequence[Scratch], size: int, upper: int | None) -> str:
    """Why a plan with CMSIS-NN is not exact."""
    if size == upper:
        return "its scratch memory is by CMSIS-NN's own formulas, not compared with a runtime"
    ops = ((op, subgraph.tensors) for subgraph in graph.subgraphs for op in subgraph.ops)
    asking = {op.kind for op, tensors in ops if len({each(op, tensors) for each in kernels}) > 1}
    more = f", up to {upper - size} bytes more in all" if upper is not None else ""
    what = " and ".join(sorted(asking)) or "its kernels"
    return f"CMSIS-NN may ask for more scratch memory, by CPU and release, for {what}{more}"


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


def _placed(graph: Graph, requests: Requests, life: Lifetimes, reasons: list[str]) -> Plan:
    # The runtime lists online buffers from the last to the first before it sorts.
    fixed = [request for request in requests if request.offset != _ONLINE]
    online = [request for request in reversed(requests) if request.offset == _ONLINE]
    online.sort(key=lambda request: -request.room)
    order = [*fixed, *online]
    offsets = first_fit([(item.room, *item.span, item.offset) for item in order])
    bound = lower_bound([(item.buffer.size, item.span) for item in order])
    told = list(reasons)
    if offsets is None:
        told.append("too many buffers live at once to be placed one by one")
    places = offsets or ()
    ends = (place + item.room for place, item in zip(places, order, strict=False))
    allocations = tuple(
        Allocation(item.buffer, at) for at, item in zip(places, order, strict=False)
    )
    return Plan(
        runtime="tflm",
        size=max(ends, default=0) if offsets is not None else bound,
        exact=not told,
        reasons=tuple(dict.fromkeys(told)),
        steps=life.steps,
        allocations=tuple(sorted(allocations, key=lambda a: (a.offset, a.buffer.first))),
        live=live([item.buffer for item in order], len(life.steps)),
        lower_bound=bound,
        persistent=persistent(graph),
        transient=transient(graph, [item.buffer for item in order]),
    )
