"""
The scratch memory that CMSIS-NN's kernels ask for in TensorFlow Lite Micro.

How much they ask for depends on the build (with Helium, called MVE, with the
DSP instructions, or plain C) and on the release, so that each op has a least and
a most. Ops without an integer kernel of CMSIS-NN ask for what the reference
kernels do. Sources: tensorflow/lite/micro/kernels/cmsis_nn and CMSIS-NN's
*_get_buffer_size functions; `memory_tflm_cmsis_conv` says which states of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from pytest_edgebudget.graph.ir import Graph, Op
from pytest_edgebudget.graph.memory_sizes import aligned, held_bytes, shape_of
from pytest_edgebudget.graph.memory_tflm_cmsis_conv import (
    NOTHING,
    Range,
    convolution,
    convolution_16,
    depthwise,
    depthwise_4,
    transposed,
    window,
)
from pytest_edgebudget.graph.memory_tflm_scratch import Scratch, Tensors, operand, result, scratch

BUILDS: Mapping[str, tuple[str, ...]] = {
    "cmsis-nn": ("plain", "dsp", "mve"),
    "cmsis-nn-plain": ("plain",),
    "cmsis-nn-dsp": ("dsp",),
    "cmsis-nn-mve": ("mve",),
}
"""Sets of kernels, and the builds that each may be."""

ALIGNMENT = 16
POINTER = 4  # all of its targets have 32 bits
LSTM_PARAMETERS = 400  # cmsis_nn_lstm_params beside the reference kernel's own data

Ranges = tuple[Range, ...]


def scratches(kernels: str) -> tuple[Scratch, ...]:
    """What tells the scratch memory of an op: the least and the most of each build."""
    return tuple(
        partial(_chosen, build=build, most=most)
        for build in BUILDS[kernels]
        for most in (False, True)
    )


def integer(op: Op, tensors: Tensors) -> bool:
    """Whether an integer kernel of CMSIS-NN that may ask for memory runs *op*."""
    source = operand(op, tensors, 2 if op.kind == "TRANSPOSE_CONV" else 0)
    return op.kind in _ASKING and source is not None and source.dtype in ("int8", "int16")


def kept(graph: Graph, kernels: str) -> Range:
    """Bytes that its kernels keep for good beside those that the reference kernels keep."""
    helium = "mve" in BUILDS[kernels]
    found = [
        _kept(op, sub.tensors, helium)
        for sub in graph.subgraphs
        for op in sub.ops
        if integer(op, sub.tensors)
    ]
    return sum(least for least, _ in found), sum(most for _, most in found)


def _chosen(op: Op, tensors: Tensors, build: str, most: bool) -> tuple[int, ...] | str:
    if op.kind == "ADD_N" and not op.custom:
        return (POINTER * len(op.inputs),)
    if op.custom or not integer(op, tensors):
        return scratch(op, tensors)
    ranges = _ASKING[op.kind](op, tensors, build)
    if isinstance(ranges, str):
        return ranges
    return tuple(size for size in (each[most] for each in ranges) if size)


def _conv(op: Op, tensors: Tensors, build: str) -> Ranges | str:
    win, source, weights = window(op, tensors), operand(op, tensors, 0), operand(op, tensors, 1)
    if win is None or source is None or weights is None:
        return f"{op.kind}: an input is missing"
    if source.dtype == "int16":
        bias = operand(op, tensors, 2)
        return (convolution_16(win, build, bias is None or bias.dtype == "int64"),)
    return (convolution(win, build, weights.dtype),)


def _depthwise(op: Op, tensors: Tensors, build: str) -> Ranges | str:
    win, source, weights = window(op, tensors), operand(op, tensors, 0), operand(op, tensors, 1)
    if win is None or source is None or weights is None:
        return f"{op.kind}: an input is missing"
    if source.dtype == "int16":
        return ()
    return ((depthwise_4 if weights.dtype == "int4" else depthwise)(win, build),)


def _transposed(op: Op, tensors: Tensors, build: str) -> Ranges | str:
    win, source = window(op, tensors, 2), operand(op, tensors, 2)
    if win is None or source is None:
        return f"{op.kind}: an input is missing"
    if source.dtype == "int8":
        return transposed(win, build)
    sizes = scratch(op, tensors)  # 16-bit inputs run the reference kernel
    return sizes if isinstance(sizes, str) else tuple((size, size) for size in sizes)


def _pool(op: Op, tensors: Tensors, build: str) -> Ranges | str:
    """arm_avgpool_s8_get_buffer_size; of 16-bit inputs not in all releases."""
    source = operand(op, tensors, 0)
    if source is None or build != "dsp":
        return ()
    sums = 4 * shape_of(source)[-1] if shape_of(source) else 0
    return ((sums if source.dtype == "int8" else 0, sums),)


def _dense(op: Op, tensors: Tensors, build: str) -> Ranges | str:
    """fully_connected.cc: a kernel of one element for many rows; sums of weights not constant."""
    source, weights, output = operand(op, tensors, 0), operand(op, tensors, 1), result(op, tensors)
    if source is None or weights is None or output is None:
        return f"{op.kind}: an input is missing"
    if (source.dtype, weights.dtype) != ("int8", "int8"):
        return ()
    if _many_rows(op, tensors):
        return ((0, 4 * shape_of(weights)[-1] if build == "dsp" else 0),)
    if weights.data is None and build == "mve" and shape_of(output):
        return ((0, 4 * shape_of(output)[-1]),)
    return ()


def _many_rows(op: Op, tensors: Tensors) -> bool:
    weights, output = operand(op, tensors, 1), result(op, tensors)
    if weights is None or output is None or not shape_of(weights):
        return False
    return len(shape_of(output)) > 2 and shape_of(weights)[-1] % 4 == 0


def _matmul(op: Op, tensors: Tensors, build: str) -> Ranges | str:
    """batch_matmul.cc, since 2024: sums of the right-hand side, with Helium."""
    source, output = operand(op, tensors, 0), result(op, tensors)
    if source is None or output is None or source.dtype != "int8" or build != "mve":
        return ()
    return ((0, 4 * shape_of(output)[-1] if shape_of(output) else 0),)


def _svdf(op: Op, tensors: Tensors, build: str) -> Ranges | str:
    """svdf.cc: as the reference kernel; with Helium and built for size, sums of the weights."""
    sizes, features = scratch(op, tensors), operand(op, tensors, 1)
    if isinstance(sizes, str) or features is None or not shape_of(features):
        return sizes if isinstance(sizes, str) else f"{op.kind}: an input is missing"
    sums = (0, 4 * shape_of(features)[0]) if build == "mve" else NOTHING
    return (*((size, size) for size in sizes), sums)


def _lstm(op: Op, tensors: Tensors, build: str) -> Ranges | str:
    """unidirectional_sequence_lstm.cc: three buffers of the size of the cell state."""
    cell = operand(op, tensors, 19)
    if cell is None:
        return f"{op.kind}: no cell state"
    return ((held_bytes(cell), held_bytes(cell)),) * (3 if cell.dtype == "int16" else 4)


_ASKING: Mapping[str, Callable[[Op, Tensors, str], Ranges | str]] = {
    "AVERAGE_POOL_2D": _pool,
    "BATCH_MATMUL": _matmul,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "SVDF": _svdf,
    "TRANSPOSE_CONV": _transposed,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}
"""Ops whose integer kernels of CMSIS-NN ask for scratch memory of their own."""


def _kept(op: Op, tensors: Tensors, helium: bool) -> Range:
    """Sums of constant weights (with Helium), multipliers of each channel, an LSTM's biases."""
    source, weights = operand(op, tensors, 0), operand(op, tensors, 1)
    if source is None or weights is None or not shape_of(weights):
        return NOTHING
    channels = aligned(4 * shape_of(weights)[0], ALIGNMENT)
    if op.kind == "FULLY_CONNECTED" and source.dtype == weights.dtype == "int8":
        rows = _many_rows(op, tensors)
        return (2 * channels, 2 * channels) if rows else (0, channels * helium)
    if op.kind == "SVDF":
        return 0, channels * helium
    if op.kind == "UNIDIRECTIONAL_SEQUENCE_LSTM":
        biases = 8 * aligned(shape_of(weights)[0] * (8 if source.dtype == "int16" else 4), 16)
        return biases, biases + LSTM_PARAMETERS
    return NOTHING
