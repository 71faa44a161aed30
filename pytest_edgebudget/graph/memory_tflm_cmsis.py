"""
The least scratch memory that CMSIS-NN's kernels ask for in TensorFlow Lite Micro.

How much they ask for depends on the CPU (with Helium more than with the DSP
instructions, and without either sometimes nothing) and on the release. Here is
what all of them need; the plan is a lower bound. Sources: cmsis_nn/conv.cc and
its neighbours in tensorflow/lite/micro/kernels, and in CMSIS-NN
Source/ConvolutionFunctions/arm_convolve_get_buffer_sizes_s8.c.
"""

from __future__ import annotations

from pytest_edgebudget.graph.ir import Op
from pytest_edgebudget.graph.memory_sizes import shape_of
from pytest_edgebudget.graph.memory_tflm_scratch import Tensors, operand, scratch

ASKING = frozenset(
    """
    AVERAGE_POOL_2D BATCH_MATMUL CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED SVDF TRANSPOSE_CONV
    UNIDIRECTIONAL_SEQUENCE_LSTM
    """.split()  # noqa: SIM905
)
"""Ops whose integer kernels of CMSIS-NN ask for scratch memory of their own."""


def least_scratch(op: Op, tensors: Tensors) -> tuple[int, ...] | str:
    """Bytes of each scratch buffer of *op* that every build needs; or why not."""
    if not integer(op, tensors):
        return scratch(op, tensors)
    return _conv(op, tensors) if op.kind == "CONV_2D" else ()


def integer(op: Op, tensors: Tensors) -> bool:
    """Whether an integer kernel of CMSIS-NN that asks for memory runs *op*."""
    source = operand(op, tensors, 2 if op.kind == "TRANSPOSE_CONV" else 0)
    return op.kind in ASKING and source is not None and source.dtype in ("int8", "int16")


def _conv(op: Op, tensors: Tensors) -> tuple[int, ...]:
    """
    Two columns of 16-bit inputs under the kernel, where those are gathered.

    That is 4 * height * width * depth bytes (arm_convolve_s8_get_buffer_size).
    Kernels of one element gather nothing; rows under a kernel of one row are
    gathered once, in 8 bits, with Helium (arm_convolve_1_x_n_s8).
    """
    source, weights = operand(op, tensors, 0), operand(op, tensors, 1)
    if source is None or weights is None or (source.dtype, weights.dtype) != ("int8", "int8"):
        return ()
    inside, kernel = shape_of(source), shape_of(weights)
    if len(inside) != 4 or len(kernel) != 4:
        return ()
    dilated = op.attributes.get("dilation_w_factor", 1), op.attributes.get("dilation_h_factor", 1)
    if kernel[1:3] == (1, 1) and dilated == (1, 1):
        return ()
    column = kernel[1] * kernel[2] * kernel[3]
    return (column,) if kernel[1] == inside[1] == 1 else (4 * column,)
