"""
What TensorFlow Lite Micro keeps in the arena beside its plan: an estimate.

The persistent part holds a structure for each tensor, op, input and output, each
kernel's data, two numbers for each channel that is scaled by itself, and the
variables. What one op of a kind takes was measured in tflite-micro
0.dev20261023 (x86-64): sixteen copies of it were added to a graph of this
project's tests, and what print_allocations then said more was divided by them.
The interpreter's own part is the median of what is left of 123 such graphs.

The estimate is within 3.1 % for each of those, and within 1.7 % for each of 70 graphs
that nothing was taken from: published models, models from TensorFlow's converter
(quantized and not; unrolled LSTMs of 119 ops; scales for each channel and for
each tensor), and random graphs of up to 110 ops.

On a 32-bit target pointers take half as much: all that is not a channel or a
variable lies between half of the estimate and all of it. That is the band, with
10 % for other releases, and with any kernel's data for ops that were not measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_edgebudget.graph.arena import Band, Buffer
from pytest_edgebudget.graph.ir import Graph, Op, Tensor
from pytest_edgebudget.graph.memory_sizes import aligned, held_bytes, shape_of
from pytest_edgebudget.graph.memory_tflm_scratch import ETHOS_U

ALIGNMENT = 16

BASE = 528  # the interpreter's own structures
SUBGRAPH = 24  # more for each further subgraph
TENSOR = 24  # TfLiteEvalTensor
OPERATOR = 64  # NodeAndRegistration
ENDPOINT = 64  # TfLiteTensor of an input or output of the model
QUANTIZED = 32  # its scale and zero point
COPY = 64  # structure and shape of a copied matrix
SOFTMAX_TABLES = 2080  # two tables of 513 numbers of 16 bits, for 16-bit softmax

_DATA: Mapping[str, int] = {
    kind: size
    for size, kinds in {
        0: """
            BATCH_TO_SPACE_ND BROADCAST_ARGS BROADCAST_TO CEIL COS DYNAMIC_UPDATE_SLICE EXP
            EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR
            LOG_SOFTMAX MAXIMUM MINIMUM NEG READ_VARIABLE REVERSE_V2 ROUND SIN SLICE SQRT SQUARE
            TRANSPOSE ZEROS_LIKE
        """,
        2: "CUMSUM RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR",
        4: "ARG_MAX ARG_MIN SHAPE SPLIT SPLIT_V",
        8: "ADD_N CAST PACK UNPACK",
        16: "ASSIGN_VARIABLE GATHER_ND LOGISTIC RELU6 SELECT_V2 SPACE_TO_BATCH_ND TANH",
        20: "CALL_ONCE L2_NORMALIZATION",
        24: "GATHER IF WHILE",
        32: """
            ABS DEQUANTIZE EMBEDDING_LOOKUP EQUAL GREATER GREATER_EQUAL HARD_SWISH LESS LESS_EQUAL
            NOT_EQUAL PRELU QUANTIZE RELU RSQRT VAR_HANDLE
        """,
        36: "DEPTH_TO_SPACE DIV LEAKY_RELU RESHAPE SPACE_TO_DEPTH SQUEEZE",
        52: "MIRROR_PAD MUL",
        64: "PAD PADV2",
        65: "MEAN REDUCE_ALL REDUCE_MAX REDUCE_MIN SUM",
        66: "BATCH_MATMUL",
        68: "SVDF",
        72: "ADD AVERAGE_POOL_2D L2_POOL_2D MAX_POOL_2D SUB",
        84: "SOFTMAX",
        88: "CONCATENATION",
        108: "CONV_2D DEPTHWISE_CONV_2D",
        112: "FULLY_CONNECTED SQUARED_DIFFERENCE",
        120: "STRIDED_SLICE TRANSPOSE_CONV",
        256: "ELU",
        736: "UNIDIRECTIONAL_SEQUENCE_LSTM",
    }.items()
    for kind in kinds.split()
}
"""Bytes of an op's options and its kernel's data."""

_MORE_IN_INTEGERS = {"ADD_N": 48, "BATCH_MATMUL": 32, "MEAN": 8, "SUM": 8, "SVDF": 8}
"""More of it where the op computes in integers."""

_ETHOS_U_DATA = 12
"""Three numbers (struct OpData)."""

_ANY = 64, 736
"""The data of a kernel that was not measured: as much as most have, and the most of any."""

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
    usual, most = _ANY
    guessed = sum(_is_guessed(op) for sub in graph.subgraphs for op in sub.ops)
    return Band(
        value=structures + contents,
        low=(structures - usual * guessed) * 45 // 100 + contents,
        high=(structures + (most - usual) * guessed) * 110 // 100 + contents,
    )


def transient(graph: Graph, buffers: Sequence[Buffer]) -> int:
    """
    Bytes beside the persistent part that the runtime needs while it plans.

    With it, the smallest arena in which a model comes up on x86-64 is estimated
    within 3 % for each of 30 graphs (of both groups above), and within 0.2 % for
    two thirds of them; the runtime's own was found by bisection.
    """
    tensors = sum(len(subgraph.tensors) for subgraph in graph.subgraphs)
    scratches = sum(buffer.scratch for buffer in buffers)
    work = DESCRIPTION * (tensors + scratches) + REQUEST * scratches + PLANNED * len(buffers)
    return max(PLANNING + work - _endpoints(graph), 0)  # endpoints are made afterwards


def _structures(graph: Graph) -> int:
    total = BASE + SUBGRAPH * (len(graph.subgraphs) - 1) + _endpoints(graph)
    for subgraph in graph.subgraphs:
        tensors = subgraph.tensors
        total += TENSOR * len(tensors) + sum(OPERATOR + _data(op, tensors) for op in subgraph.ops)
    return total


def _is_guessed(op: Op) -> bool:
    """Whether its kernel's data was not measured; the NPU's was read (ethos_u/ethosu.cc)."""
    return op.kind != ETHOS_U if op.custom else op.kind not in _DATA


def _data(op: Op, tensors: Sequence[Tensor]) -> int:
    if op.custom:
        return _ETHOS_U_DATA if op.kind == ETHOS_U else _ANY[0]
    size = _DATA.get(op.kind, _ANY[0])
    more = _MORE_IN_INTEGERS.get(op.kind, 0)
    integers = more and op.inputs and tensors[op.inputs[0]].dtype in ("int8", "int16")
    return size + more if integers else size


def _endpoints(graph: Graph) -> int:
    main = graph.main
    return sum(
        ENDPOINT + (QUANTIZED if main.tensors[index].quantization else 0)
        for index in (*main.inputs, *main.outputs)
    )


def _contents(graph: Graph) -> Iterator[int]:
    """Variables, and the numbers that kernels keep for each channel or matrix."""
    yield from _variables(graph)
    for subgraph in graph.subgraphs:
        for op in subgraph.ops:
            yield _kept(op, subgraph.tensors)


def _variables(graph: Graph) -> Iterator[int]:
    yield from _resources(graph).values()
    for subgraph in graph.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.variable:
                yield aligned(held_bytes(tensor), ALIGNMENT)


def unchanging(graph: Graph) -> int:
    """Of the contents, what is the same with any kernels: variables, numbers of each channel."""
    return sum(_variables(graph)) + sum(
        _kept(op, subgraph.tensors)
        for subgraph in graph.subgraphs
        for op in subgraph.ops
        if op.kind in _CHANNELS
    )


def _kept(op: Op, tensors: Sequence[Tensor]) -> int:
    known = [tensors[index] if index >= 0 else None for index in op.inputs]
    if op.kind in _CHANNELS:
        position, axis = _CHANNELS[op.kind]
        weights = known[position] if position < len(known) else None
        shape = shape_of(weights) if weights is not None else ()
        return 2 * aligned(4 * shape[axis], ALIGNMENT) if axis < len(shape) else 0
    if op.kind == "FULLY_CONNECTED" and len(known) > 1:
        return _scaled_rows(known[1])
    if op.kind == "BATCH_MATMUL" and len(known) > 1:  # operands that are not transposed are copied
        flags = (bool(op.attributes.get("adj_x")), not op.attributes.get("adj_y"))
        copied = (tensor for tensor, flag in zip(known, flags, strict=False) if tensor and flag)
        return sum(COPY + aligned(held_bytes(tensor), ALIGNMENT) for tensor in copied)
    if op.kind == "SOFTMAX" and known and known[0] is not None and known[0].dtype == "int16":
        return SOFTMAX_TABLES
    return 0


def _scaled_rows(weights: Tensor | None) -> int:
    """Two numbers for each row where each has a scale of its own (fully_connected.cc)."""
    if weights is None or weights.quantization is None or len(weights.quantization.scales) < 2:
        return 0
    return 2 * aligned(4 * shape_of(weights)[0], ALIGNMENT) if shape_of(weights) else 0


def _resources(graph: Graph) -> Mapping[object, int]:
    """Bytes of what is assigned to each resource variable, by its name."""
    found: dict[object, int] = {}
    for subgraph in graph.subgraphs:
        handles = {
            op.outputs[0]: op.attributes.get("shared_name")
            for op in subgraph.ops
            if op.kind == "VAR_HANDLE" and op.outputs
        }
        for op in subgraph.ops:
            if op.kind == "ASSIGN_VARIABLE" and len(op.inputs) > 1 and op.inputs[0] in handles:
                size = aligned(held_bytes(subgraph.tensors[op.inputs[1]]), ALIGNMENT)
                name = handles[op.inputs[0]]
                found[name] = max(found.get(name, 0), size)
    return found
