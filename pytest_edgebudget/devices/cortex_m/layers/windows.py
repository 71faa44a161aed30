"""Windows over images: their places, and what is taken from them."""

from __future__ import annotations

import math

from pytest_edgebudget.devices.cortex_m.layers.view import (
    Call,
    Field,
    Unsupported,
    View,
    elements,
    need,
    scale,
    scaling,
    shape,
    zero,
)
from pytest_edgebudget.devices.cortex_m.multipliers import shared


def window(view: View, height: int, width: int) -> dict[str, Field]:
    """
    Where windows of that size lie on input 0.

    Raises Unsupported where the output has not the shape that follows.
    """
    image, out = shape(view.input(0)), shape(view.output)
    if len(image) != 4 or len(out) != 4 or image[0] != out[0]:
        raise Unsupported(f"shapes {image} and {out}")
    stride = view.number("stride_h"), view.number("stride_w")
    dilation = view.number("dilation_h_factor"), view.number("dilation_w_factor")
    pads = []
    for axis, size in enumerate((height, width)):
        length, step, spread = image[axis + 1], stride[axis], dilation[axis]
        count, pad = _along(view, length, (size - 1) * spread + 1, step)
        if count != out[axis + 1]:
            raise Unsupported(f"an output of shape {out}, where {count} windows fit in {length}")
        pads.append(pad)
    return {
        "batches": image[0],
        **dict(zip(("in_h", "in_w", "in_c"), image[1:], strict=True)),
        **dict(zip(("out_h", "out_w", "out_c"), out[1:], strict=True)),
        **dict(zip(("size_h", "size_w"), (height, width), strict=True)),
        **dict(zip(("stride_h", "stride_w"), stride, strict=True)),
        **dict(zip(("dilation_h", "dilation_w"), dilation, strict=True)),
        **dict(zip(("pad_h", "pad_w"), pads, strict=True)),
    }


def _along(view: View, length: int, size: int, stride: int) -> tuple[int, int]:
    """How many windows there are, and how far the first stands out (padding.h)."""
    padding = view.op.attributes.get("padding", "SAME")
    if padding == "VALID":
        return max(0, -(-(length - size + 1) // stride)), 0
    if padding != "SAME":
        raise Unsupported(f"padding {padding}")
    count = -(-length // stride)
    return count, max(0, (count - 1) * stride + size - length) // 2


def average_pool(view: View) -> tuple[Call, ...]:
    """AVERAGE_POOL_2D: what lies outside does not count."""
    return _pool(view, "edge_average_pool")


def max_pool(view: View) -> tuple[Call, ...]:
    """MAX_POOL_2D."""
    return _pool(view, "edge_max_pool")


def _pool(view: View, function: str) -> tuple[Call, ...]:
    image, out = need(view.input(0), "int8"), need(view.output, "int8")
    if (scale(image), zero(image)) != (scale(out), zero(out)):
        raise Unsupported("an output of another scale than the input")
    places = window(view, view.number("filter_height"), view.number("filter_width"))
    if places["in_c"] != places["out_c"]:
        raise Unsupported(f"{places['in_c']} channels that become {places['out_c']}")
    low, high = view.activation()
    return (view.call(function, "edge_pool", {"window": places, "min": low, "max": high}),)


def mean(view: View) -> tuple[Call, ...]:
    """MEAN over neighbouring axes, such as height and width (global average pooling)."""
    image, out = need(view.input(0), "int8"), need(view.output, "int8")
    sizes, axes = shape(image), sorted({axis % len(shape(image)) for axis in view.numbers(1)})
    if not axes or axes != list(range(axes[0], axes[-1] + 1)):
        raise Unsupported(f"axes {axes} of shape {sizes}")
    before, behind = math.prod(sizes[: axes[0]]), math.prod(sizes[axes[-1] + 1 :])
    area = math.prod(sizes[axes[0] : axes[-1] + 1])
    if elements(out) != before * behind:
        raise Unsupported(f"shapes {sizes} and {shape(out)}")
    found = shared(scaling(scale(image) / scale(out)), area)
    fields: dict[str, Field] = {
        "batches": before,
        "area": area,
        "depth": behind,
        "in_zero": zero(image),
        "zero": zero(out),
        "multiplier": found.multiplier,
        "shift": found.shift,
    }
    return (view.call("edge_mean_rows", "edge_mean", fields),)
