"""
What TensorFlow Lite Micro keeps in the arena beside its plan: an estimate.

The persistent part holds a structure for each tensor, op, input and output, each
kernel's data, two numbers for each channel of a convolution, and the variables.
Sizes of structures are those of the x86-64 build (micro_allocator.cc and what
its recording allocator prints); what the kernels keep for themselves was fitted
on print_allocations of tflite-micro 0.dev20261023 for 70 graphs: the models of
MLPerf Tiny and the static graphs of this project's tests. Leaving each out in
turn, the estimate is within 10 % for each graph, and within 2 % for half of them.

On a 32-bit target pointers take half as much: all that is not a channel or a
variable lies between half of the estimate and all of it. That is the band, with
10 % for the kernels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_edgebudget.graph.arena import Band, Buffer
from pytest_edgebudget.graph.ir import Graph, Op, Tensor
from pytest_edgebudget.graph.memory_sizes import aligned, held_bytes, shape_of

ALIGNMENT = 16

BASE = 470  # the interpreter's own structures
TENSOR = 24  # TfLiteEvalTensor
OPERATOR = 123  # NodeAndRegistration (64), options and the kernel's data
WEIGHTED = 60  # more data of a kernel with weights
RECURRENT = 690  # more data of a fused LSTM
ENDPOINT = 64  # TfLiteTensor of an input or output of the model
QUANTIZED = 32  # its scale and zero point
SOFTMAX_TABLES = 2064  # two tables of 513 numbers of 16 bits, for 16-bit softmax

_CHANNELS = {"CONV_2D": (1, 0), "DEPTHWISE_CONV_2D": (1, 3), "TRANSPOSE_CONV": (1, 0)}
"""Which input holds the weights, and which of its axes counts the output channels."""

PLANNING = 180  # requests, offsets, alignment
DESCRIPTION = 32  # AllocationInfo: of each tensor and scratch buffer
REQUEST = 16  # ScratchBufferRequest
PLANNED = 40  # GreedyMemoryPlanner::per_buffer_size


def persistent(graph: Graph) -> Band:
    """Bytes that stay for good: the x86-64 estimate, and a band down to 32 bits."""
    structures = _structures(graph)
    contents = sum(_contents(graph))
    return Band(
        value=structures + contents,
        low=structures * 45 // 100 + contents,
        high=structures * 110 // 100 + contents,
    )


def transient(graph: Graph, buffers: Sequence[Buffer]) -> int:
    """
    Bytes beside the persistent part that the runtime needs while it plans.

    With it, the smallest arena in which a model comes up on x86-64 is estimated
    within 6 % for each of 82 graphs (those above, and eight random ones), and
    within 1 % for half of them; the runtime's own was found by bisection.
    """
    tensors = sum(len(subgraph.tensors) for subgraph in graph.subgraphs)
    scratches = sum(buffer.scratch for buffer in buffers)
    work = DESCRIPTION * (tensors + scratches) + REQUEST * scratches + PLANNED * len(buffers)
    return max(PLANNING + work - _endpoints(graph), 0)  # endpoints are made afterwards


def _structures(graph: Graph) -> int:
    total = BASE + _endpoints(graph)
    for subgraph in graph.subgraphs:
        total += TENSOR * len(subgraph.tensors) + sum(_op(op) for op in subgraph.ops)
    return total


def _op(op: Op) -> int:
    size = OPERATOR
    if op.kind in _CHANNELS or op.kind == "FULLY_CONNECTED":
        size += WEIGHTED
    return size + RECURRENT if op.kind == "UNIDIRECTIONAL_SEQUENCE_LSTM" else size


def _endpoints(graph: Graph) -> int:
    main = graph.main
    return sum(
        ENDPOINT + (QUANTIZED if main.tensors[index].quantization else 0)
        for index in (*main.inputs, *main.outputs)
    )


def _contents(graph: Graph) -> Iterator[int]:
    """Variables, and the numbers that kernels keep for each channel or matrix."""
    for subgraph in graph.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.variable:
                yield aligned(held_bytes(tensor), ALIGNMENT)
        for op in subgraph.ops:
            yield _kept(op, subgraph.tensors)


def _kept(op: Op, tensors: Sequence[Tensor]) -> int:
    known = [tensors[index] if index >= 0 else None for index in op.inputs]
    if op.kind in _CHANNELS:
        position, axis = _CHANNELS[op.kind]
        weights = known[position] if position < len(known) else None
        shape = shape_of(weights) if weights is not None else ()
        return 2 * aligned(4 * shape[axis], ALIGNMENT) if axis < len(shape) else 0
    if op.kind == "BATCH_MATMUL" and len(known) > 1:  # operands that are not transposed are copied
        flags = (bool(op.attributes.get("adj_x")), not op.attributes.get("adj_y"))
        copied = (tensor for tensor, flag in zip(known, flags, strict=False) if tensor and flag)
        return sum(aligned(held_bytes(tensor), ALIGNMENT) for tensor in copied)
    if op.kind == "SOFTMAX" and known and known[0] is not None and known[0].dtype == "int16":
        return SOFTMAX_TABLES
    return 0
