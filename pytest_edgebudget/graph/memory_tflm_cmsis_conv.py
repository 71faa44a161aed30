"""
The scratch memory that CMSIS-NN's integer convolutions ask for.

Sources: arm_convolve_get_buffer_sizes_s8.c, _s16.c, _s4.c, the same of
arm_depthwise_conv and arm_transpose_conv in Source/ConvolutionFunctions of
CMSIS-NN, in states of October 2023 to March 2026 (not each one between); of
transposed convolutions, whose kernels were rewritten, from October 2024.

A function here returns the least and the most bytes that any of these states
asks for in one build: "plain" C, "dsp" or "mve".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_edgebudget.graph.ir import Op
from pytest_edgebudget.graph.memory_sizes import aligned, shape_of
from pytest_edgebudget.graph.memory_tflm_scratch import Tensors, operand, result

Range = tuple[int, int]
"""The least and the most bytes."""

NOTHING: Range = (0, 0)

BLOCK = 124
"""Channels that a depthwise convolution gathers at a time (CH_IN_BLOCK_MVE)."""

EFFICIENT = 16
"""Input channels above which a transposed convolution is turned into a convolution."""

MOST_FAST = 512
"""Elements from which on 16-bit columns were once not gathered (arm_convolve_wrapper_s16)."""


@dataclass(frozen=True, slots=True)
class Window:
    """
    A convolution: sizes are (height, width, channels), the rest (height, width).

    *depth*: the input channels that one filter sees, fewer in grouped convolutions.
    """

    batch: int
    source: tuple[int, int, int]
    kernel: tuple[int, int]
    depth: int
    output: tuple[int, int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int]

    @property
    def column(self) -> int:
        """Elements under the kernel."""
        return self.kernel[0] * self.kernel[1] * self.source[2]

    @property
    def dense(self) -> bool:
        """Whether the kernel is not dilated."""
        return self.dilation == (1, 1)


def window(op: Op, tensors: Tensors, source_at: int = 0) -> Window | None:
    """The convolution that *op* is; None where its tensors do not have four axes."""
    source, weights = operand(op, tensors, source_at), operand(op, tensors, 1)
    output = result(op, tensors)
    if source is None or weights is None or output is None:
        return None
    inside, kernel, out = shape_of(source), shape_of(weights), shape_of(output)
    if not len(inside) == len(kernel) == len(out) == 4:
        return None
    stride, dilation = _pair(op, "stride_h", "stride_w"), _pair(op, *_DILATION)
    same = op.attributes.get("padding", "SAME") == "SAME"
    pads = (
        max((out[axis] - 1) * step + (size - 1) * gap + 1 - inside[axis], 0) // 2 if same else 0
        for axis, size, step, gap in zip((1, 2), kernel[1:3], stride, dilation, strict=True)
    )
    return Window(inside[0], (inside[1], inside[2], inside[3]), (kernel[1], kernel[2]), kernel[3],
                  (out[1], out[2], out[3]), stride, dilation, (next(pads), next(pads)))  # fmt: skip


_DILATION = ("dilation_h_factor", "dilation_w_factor")


def _pair(op: Op, height: str, width: str) -> tuple[int, int]:
    values = (op.attributes.get(name, 1) for name in (height, width))
    first, second = (max(value, 1) if isinstance(value, int) else 1 for value in values)
    return first, second


def convolution(win: Window, build: str, weights: str = "int8") -> Range:
    """
    8-bit inputs: four columns of them with Helium, else two of 16 bits.

    Kernels of one element gather nothing, except under Arm's compiler for the
    DSP instructions. Rows under a kernel of one row are gathered once with
    Helium, as far as padding goes; in 2023 they were not.
    """
    if win.kernel == (1, 1) and win.dense and win.depth == win.source[2]:
        return (0, 4 * win.source[2]) if build == "dsp" and win.stride == (1, 1) else NOTHING
    whole = _columns(win.column, build)
    if weights == "int4":
        whole = min(whole[0], 4 * win.column), whole[1]
    row = win.source[0] == win.kernel[0] == win.dilation[1] == 1
    if build != "mve" or not row or win.stride[1] * win.source[2] % 4:
        return whole
    once = _row(win)
    if once is None or weights == "int4" or win.depth != win.source[2]:
        return 0, max(once or 0, whole[1])
    return 0, once


def _columns(column: int, build: str) -> Range:
    """arm_convolve_s8_get_buffer_size: full registers with Helium, else multiples of four."""
    if build == "mve":
        return 4 * aligned(column, 8), 4 * aligned(column, 16)
    size = 4 * aligned(column, 4)
    return size, size


def _row(win: Window) -> int | None:
    """arm_convolve_1_x_n_s8_get_buffer_size_mve; None where whole columns are gathered."""
    (_, pad), (_, step), (_, size) = win.padding, win.stride, win.kernel
    depth, length = win.source[2], win.output[1]
    uneven = ((length - 1) * step + size - win.source[1]) % 2
    right = max(1, (pad + uneven + step - 1) // step) if pad + uneven else 0
    left = max(1, (pad + step - 1) // step) if pad else 0
    if right + left > length:
        return None
    return max((size + pad) * depth, (size - 1) * depth + (right if uneven else pad) * depth)


def convolution_16(win: Window, build: str, fast: bool) -> Range:
    """
    16-bit inputs: two columns, or four with Helium; none where the reference runs.

    Up to 2023 only the DSP kernel gathered short columns. *fast*: whether the
    bias is one that CMSIS-NN has always taken.
    """
    least = fast and build == "dsp" and win.dense and win.column < MOST_FAST
    most = 8 * aligned(win.column, 8) if build == "mve" else 4 * win.column
    return (4 * win.column if least else 0), most


def depthwise(win: Window, build: str) -> Range:
    """
    8-bit inputs: one column of 16 bits with DSP, four of a block of channels with Helium.

    A kernel of three by three has a kernel of its own without Helium, and one
    input channel becomes a convolution with it (since 2024, by compiler).
    """
    whole = _depthwise_whole(win, build)
    if build == "mve" and win.source[2] == 1 < win.output[2]:
        plain = replace(win, depth=1)
        turned = convolution(plain, build)[1] + win.output[2] * win.kernel[0] * win.kernel[1]
        return min(whole, turned), max(whole, turned)
    return whole, whole


def _depthwise_whole(win: Window, build: str) -> int:
    elements = win.kernel[0] * win.kernel[1]
    if not _straight(win) or build == "plain":
        return 0
    if build == "mve":
        return 4 * BLOCK * elements
    small = win.kernel == (3, 3) and max(win.padding) <= 1
    return 0 if small else 2 * win.source[2] * elements


def depthwise_4(win: Window, build: str) -> Range:
    """4-bit weights: one column of 16 bits; with Helium later four of a block of channels."""
    if not _straight(win):
        return NOTHING
    elements = win.kernel[0] * win.kernel[1]
    column = 2 * win.source[2] * elements
    if build == "mve":
        return min(column, 4 * BLOCK * elements), max(column, 4 * BLOCK * elements)
    return (column if build == "dsp" else 0), column


def _straight(win: Window) -> bool:
    return win.source[2] == win.output[2] and win.batch == 1 and win.dense


def transposed(win: Window, build: str) -> tuple[Range, Range]:
    """8-bit inputs: columns and turned weights, or rows of 32-bit sums and nothing."""
    (down, across), (high, wide) = win.stride, win.kernel
    if max(win.stride) <= 2 and win.source[2] > EFFICIENT:
        turned = win.column * win.output[2]
        return _columns(win.column, build), (turned, turned)
    # Up to 2026 the wider of kernel and vertical stride, since then of horizontal.
    rows = 4 * win.output[2] * max(high, down)
    widths = sorted((win.source[1] - 1) * across + max(wide, step) for step in win.stride)
    return (rows * widths[0], rows * widths[1]), NOTHING
