"""Conditions on weights, slices, permutations and zero points."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pytest_edgebudget.devices.constraints.view import Check, Options, View, by, dims

_MOST = {"int8": 128, "uint8": 255, "int16": 32768}


def weight_sum(view: View, options: Options) -> str:
    """
    The weights of no output can sum to more than *max*.

    Said only where even the largest possible sum is beyond it: a sum that
    depends on the values is too rare to read all of them.
    """
    weights = view.weights
    shape = dims(weights)
    if weights is None or not shape or weights.dtype not in _MOST:
        return ""
    depthwise = view.op.kind == "DEPTHWISE_CONV_2D"
    each = math.prod(shape[:-1] if depthwise else shape[1:])
    if each * _MOST[weights.dtype] <= options["max"] or weights.data is None:
        return ""
    total = _largest_sum(weights.data, weights.dtype, each) if not depthwise else 0
    return f"a sum of {total:,}" if total > options["max"] else ""


def _largest_sum(data: memoryview, dtype: str, each: int) -> int:
    numbers = data.cast("B").cast("b" if dtype == "int8" else "B") if dtype != "int16" else None
    if numbers is None:
        return 0
    rows = range(0, len(numbers), each)
    return max((sum(map(abs, numbers[start : start + each])) for start in rows), default=0)


def slice_strides(view: View, options: Options) -> str:
    """Strides of a slice are positive, and 1 but along the axes *axes* (from the end)."""
    steps, shape = view.integers(3), dims(view.ifm)
    if steps is None or shape is None:
        return ""
    allowed = {len(shape) + n for n in options.get("axes", ())}
    bad = [n for n, step in enumerate(steps) if step < 1 or (step > 1 and n not in allowed)]
    return f"strides {list(steps)}" if bad else ""


def output_shape(view: View, options: Options) -> str:
    """The output of a transposed convolution is what stride and window make of the input."""
    del options
    given, made, kernel = dims(view.ifm), dims(view.ofm), view.kernel
    if given is None or made is None or kernel is None or len(given) != 4 or len(made) != 4:
        return ""
    same = view.op.attributes.get("padding") == "SAME"
    wanted = [
        size * step + (0 if same else max(window - step, 0))
        for size, step, window in zip(given[1:3], view.strides, kernel, strict=True)
    ]
    found = list(made[1:3])
    return "" if found == wanted else f"{by(found)}, where {by(wanted)} follows from the input"


def permutation(view: View, options: Options) -> str:
    """A transposition of 32-bit integers is one of *in* (ranks up to 4)."""
    order, shape, given = view.integers(1), dims(view.ifm), view.ifm
    if order is None or not shape or given is None or given.dtype != "int32":
        return ""
    if len(shape) > 4:
        return f"{len(shape)} dimensions"
    lead = 4 - len(shape)
    full = [*range(lead), *(n % len(shape) + lead for n in order)]
    return "" if full in options["in"] else f"permutation {list(order)}"


def gather_axis(view: View, options: Options) -> str:
    """The axis is the number of batch dimensions."""
    del options
    axis, batch = view.number("axis"), view.number("batch_dims")
    return "" if axis == batch else f"axis {axis}, batch_dims {batch}"


def zero_point(view: View, options: Options) -> str:
    """Zero points of the feature maps of type *of* are 0."""
    for tensor in view.named("maps"):
        points = tensor.quantization.zero_points if tensor.quantization else ()
        if tensor.dtype in options["of"] and any(points):
            return f"{tensor.dtype} with zero point {points[0]}"
    return ""


def pad_shape(view: View, options: Options) -> str:
    """The paddings are a constant of *rows* x 2."""
    tensor = view.input(1)
    shape = tensor.shape if tensor else None
    if shape is None:
        return ""
    fits = len(shape) == 2 and shape[0] in options["rows"] and shape[1] == 2
    return "" if fits else f"paddings of {by(shape)}"


def pad_axes(view: View, options: Options) -> str:
    """Nothing is padded along the axes *axes*; counted from the front of four dimensions."""
    pads, shape = view.integers(1), dims(view.ifm)
    if pads is None or shape is None or len(pads) != 2 * len(shape):
        return ""
    lead = 4 - len(shape)
    bad = [n + lead for n in range(len(shape)) if pads[2 * n] or pads[2 * n + 1]]
    wrong = [n for n in bad if n in options["axes"]]
    return f"paddings {list(pads)}" if wrong else ""


CHECKS: Mapping[str, Check] = {
    "weight-sum": weight_sum,
    "slice-strides": slice_strides,
    "output-shape": output_shape,
    "permutation": permutation,
    "gather-axis": gather_axis,
    "zero-point": zero_point,
    "pad-shape": pad_shape,
    "pad-axes": pad_axes,
}
