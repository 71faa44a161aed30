"""Softmax over the last axis."""

from __future__ import annotations

from pytest_edgebudget.devices.cortex_m.layers.view import (
    Call,
    Unsupported,
    View,
    elements,
    need,
    scale,
    shape,
    zero,
)
from pytest_edgebudget.devices.cortex_m.multipliers import softmax_scaling

DEEPEST = 4095
"""Numbers of a row: the sum of their exponentials has 12 integer bits."""


def softmax(view: View) -> tuple[Call, ...]:
    """SOFTMAX; its output is in steps of 1/256 from -128, as the runtime demands."""
    x, out = need(view.input(0), "int8"), need(view.output, "int8")
    if (scale(out), zero(out)) != (1 / 256, -128):
        raise Unsupported(f"an output of scale {scale(out)} from {zero(out)}")
    depth, beta = shape(x)[-1], view.op.attributes.get("beta", 1.0)
    if depth > DEEPEST or shape(x) != shape(out):
        raise Unsupported(f"shapes {shape(x)} and {shape(out)}")
    if not isinstance(beta, float | int) or not 0 < beta * scale(x) < 1e6:
        raise Unsupported(f"beta = {beta}")
    found = softmax_scaling(float(beta), scale(x))
    if found.factor.shift < 1:  # the runtime aborts
        raise Unsupported(f"beta = {beta} with an input of scale {scale(x)}")
    fields = {
        "rows": elements(x) // depth,
        "depth": depth,
        "multiplier": found.factor.multiplier,
        "shift": found.factor.shift,
        "lowest": found.lowest,
    }
    return (view.call("edge_softmax_rows", "edge_softmax", fields),)
