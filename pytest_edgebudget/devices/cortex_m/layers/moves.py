"""Layers that only move numbers."""

from __future__ import annotations

import math

from pytest_edgebudget.devices.cortex_m.layers.view import (
    Call,
    Field,
    Unsupported,
    View,
    need,
    scale,
    shape,
    size,
    zero,
)


def reshape(view: View) -> tuple[Call, ...]:
    """RESHAPE, SQUEEZE and EXPAND_DIMS: a copy, as in the runtime."""
    count = size(view.output)
    if size(view.input(0)) != count or view.input(0).dtype != view.output.dtype:
        raise Unsupported(f"shapes {shape(view.input(0))} and {shape(view.output)}")
    fields: dict[str, Field] = {"rows": 1, "width": count, "stride": count}
    return (view.call("edge_copy_rows", "edge_copy", fields),)


def concatenation(view: View) -> tuple[Call, ...]:
    """CONCATENATION of tensors of one scale."""
    out = need(view.output, "int8")
    whole = shape(out)
    axis = view.number("axis", -len(whole)) % len(whole)
    view.activation()
    if view.op.attributes.get("fused_activation_function", "NONE") != "NONE":
        raise Unsupported("a fused activation")
    calls, offset = [], 0
    stride = math.prod(whole[axis:])
    for position in range(len(view.op.inputs)):
        width = _part(view, position, axis)
        fields: dict[str, Field] = {
            "rows": math.prod(whole[:axis]),
            "width": width,
            "stride": stride,
        }
        calls.append(view.call("edge_copy_rows", "edge_copy", fields, (position,), offset))
        offset += width
    if offset != stride:
        raise Unsupported(f"parts that do not add up to {whole}")
    return tuple(calls)


def _part(view: View, position: int, axis: int) -> int:
    """Bytes of an operand in each row of the output."""
    part, out = need(view.input(position), "int8"), view.output
    sizes, whole = shape(part), shape(out)
    if (scale(part), zero(part)) != (scale(out), zero(out)):
        raise Unsupported(f"{part.name} has another scale than the output")
    others = [(n, m) for i, (n, m) in enumerate(zip(sizes, whole, strict=False)) if i != axis]
    if len(sizes) != len(whole) or any(n != m for n, m in others):
        raise Unsupported(f"shapes {sizes} and {whole}")
    return math.prod(sizes[axis:])


def pad(view: View) -> tuple[Call, ...]:
    """PAD with zeros, of up to four dimensions."""
    x, out = need(view.input(0), "int8"), need(view.output, "int8")
    if (scale(x), zero(x)) != (scale(out), zero(out)):
        raise Unsupported("an output of another scale than the input")
    sizes, whole, amounts = shape(x), shape(out), view.numbers(1)
    before, after = amounts[::2], amounts[1::2]
    wide = tuple(n + b + a for n, b, a in zip(sizes, before, after, strict=False))
    if len(sizes) > 4 or len(amounts) != 2 * len(sizes) or min(amounts) < 0 or wide != whole:
        raise Unsupported(f"padding {amounts} of shape {sizes} to {whole}")
    missing = 4 - len(sizes)
    fields: dict[str, Field] = {
        "in": (1,) * missing + sizes,
        "before": (0,) * missing + before,
        "out": (1,) * missing + whole,
        "value": zero(out),
    }
    return (view.call("edge_pad_all", "edge_pad", fields),)
