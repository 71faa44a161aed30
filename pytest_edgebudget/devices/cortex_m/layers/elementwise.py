"""Layers that work element by element."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from pytest_edgebudget.devices.cortex_m import tables
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
from pytest_edgebudget.devices.cortex_m.multipliers import (
    HIGH,
    LOW,
    Factor,
    activation_range,
)

LEFT = 20
"""Bits by which ADD makes its operands larger, to lose less of them (add.cc)."""

Sizes = tuple[int, ...]


def add(view: View) -> tuple[Call, ...]:
    """ADD, with broadcasting."""
    first, second = (scale(view.input(position)) for position in (0, 1))
    twice = 2.0 * max(first, second)
    return _binary(
        view,
        "edge_add",
        scaling(first / twice),
        scaling(second / twice),
        scaling(twice / ((1 << LEFT) * scale(view.output))),
    )


def mul(view: View) -> tuple[Call, ...]:
    """MUL, with broadcasting."""
    product = scale(view.input(0)) * scale(view.input(1))
    return _binary(
        view, "edge_mul", Factor(0, 0), Factor(0, 0), scaling(product / scale(view.output))
    )


def _binary(
    view: View, function: str, first: Factor, second: Factor, last: Factor
) -> tuple[Call, ...]:
    a, b, out = (need(each, "int8") for each in (view.input(0), view.input(1), view.output))
    dims, strides_a, strides_b = _walk(shape(a), shape(b), shape(out))
    low, high = view.activation()
    fields: dict[str, Field] = {
        "dims": dims,
        "strides_a": strides_a,
        "strides_b": strides_b,
        "zero_a": zero(a),
        "zero_b": zero(b),
        "zero": zero(out),
        "multiplier_a": first.multiplier,
        "shift_a": first.shift,
        "multiplier_b": second.multiplier,
        "shift_b": second.shift,
        "multiplier": last.multiplier,
        "shift": last.shift,
        "left": LEFT,
        "min": low,
        "max": high,
    }
    return (view.call(function, "edge_binary", fields, (0, 1)),)


def _walk(a: Sizes, b: Sizes, out: Sizes) -> tuple[Sizes, Sizes, Sizes]:
    """Four dimensions of the output, and the operands' strides along them."""
    if a == b == out:
        return (1, 1, 1, math.prod(out)), (0, 0, 0, 1), (0, 0, 0, 1)
    if max(len(a), len(b), len(out)) > 4:
        raise Unsupported(f"shapes {a} and {b}")
    whole = _four(out)
    return whole, _strides(_four(a), whole), _strides(_four(b), whole)


def _four(sizes: Sizes) -> Sizes:
    return (1,) * (4 - len(sizes)) + sizes


def _strides(sizes: Sizes, whole: Sizes) -> Sizes:
    if any(n not in (1, all_) for n, all_ in zip(sizes, whole, strict=True)):
        raise Unsupported(f"shape {sizes} over {whole}")
    steps = [math.prod(sizes[axis + 1 :]) for axis in range(4)]
    return tuple(0 if n == 1 else step for n, step in zip(sizes, steps, strict=True))


def quantize(view: View) -> tuple[Call, ...]:
    """QUANTIZE, of floats or of int8 in other steps."""
    x, out = view.input(0), need(view.output, "int8")
    if x.dtype == "float32":
        _same_count(view)
        return (view.call("edge_quantize", "edge_affine", _affine(view, scale(out), zero(out))),)
    return _requantized(view, (LOW, HIGH))


def dequantize(view: View) -> tuple[Call, ...]:
    """DEQUANTIZE to floats."""
    x = need(view.input(0), "int8")
    need(view.output, "float32")
    _same_count(view)
    return (view.call("edge_dequantize", "edge_affine", _affine(view, scale(x), zero(x))),)


def relu(view: View) -> tuple[Call, ...]:
    """RELU and RELU6 that are not fused into what comes before."""
    x, out = view.input(0), need(view.output, "int8")
    if view.op.kind == "RELU6" and (scale(x), zero(x)) != (scale(out), zero(out)):
        raise Unsupported("an output of another scale than the input, which runtimes disagree on")
    found = activation_range(view.op.kind, scale(view.output), zero(view.output))
    assert found is not None
    return _requantized(view, found)


def logistic(view: View) -> tuple[Call, ...]:
    """LOGISTIC, looked up."""
    return _looked_up(view, tables.logistic, (1 / 256, LOW))


def tanh(view: View) -> tuple[Call, ...]:
    """TANH, looked up."""
    return _looked_up(view, tables.tanh, (1 / 128, 0))


def _looked_up(
    view: View, table: Callable[[float, int], bytes], steps: tuple[float, int]
) -> tuple[Call, ...]:
    x, out = need(view.input(0), "int8"), need(view.output, "int8")
    _same_count(view)
    if (scale(out), zero(out)) != steps:
        raise Unsupported(f"an output of scale {scale(out)} from {zero(out)}")
    if not 2**-27 < scale(x) < 16:
        raise Unsupported(f"an input of scale {scale(x)}")
    fields: dict[str, Field] = {
        "count": elements(out),
        "answers": view.keep(table(scale(x), zero(x))),
    }
    return (view.call("edge_look_up", "edge_table", fields),)


def _requantized(view: View, limits: Sequence[int]) -> tuple[Call, ...]:
    x, out = need(view.input(0), "int8"), view.output
    _same_count(view)
    found = scaling(scale(x) / scale(out))
    fields: dict[str, Field] = {
        "count": elements(out),
        "in_zero": zero(x),
        "zero": zero(out),
        "multiplier": found.multiplier,
        "shift": found.shift,
        "min": limits[0],
        "max": limits[1],
    }
    return (view.call("edge_requantize_all", "edge_requantize", fields),)


def _affine(view: View, step: float, point: int) -> dict[str, Field]:
    return {"count": elements(view.output), "scale": step, "zero": point}


def _same_count(view: View) -> None:
    if elements(view.input(0)) != elements(view.output):
        raise Unsupported(f"shapes {shape(view.input(0))} and {shape(view.output)}")
