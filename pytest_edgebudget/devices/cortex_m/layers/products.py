"""Convolutions and fully connected layers: sums of products, scaled to int8."""

from __future__ import annotations

from pytest_edgebudget.devices.cortex_m.layers.view import (
    FINEST,
    Call,
    Field,
    Unsupported,
    View,
    content,
    elements,
    factors_of,
    need,
    scale,
    scaling,
    shape,
    zero,
)
from pytest_edgebudget.devices.cortex_m.layers.windows import window
from pytest_edgebudget.devices.cortex_m.multipliers import Factor, float32
from pytest_edgebudget.graph.ir import Tensor

LONGEST = 1 << 16
"""Products of a sum: beyond it (255 * 127 each) 32 bits may not hold them."""


def convolution(view: View) -> tuple[Call, ...]:
    """CONV_2D, with groups."""
    image, filters = need(view.input(0), "int8"), need(view.input(1), "int8")
    kernel, out = _four(filters), _four(view.output)
    depth = _four(image)[3]
    if kernel[0] != out[3] or depth % kernel[3] or out[3] % (depth // kernel[3]):
        raise Unsupported(f"filters of shape {kernel} on {depth} channels")
    _check_length(kernel[1] * kernel[2] * kernel[3])
    fields = _filtered(view, kernel[1], kernel[2], kernel[3], channels=out[3], axis=0)
    return (view.call("edge_conv_2d", "edge_conv", fields),)


def depthwise(view: View) -> tuple[Call, ...]:
    """DEPTHWISE_CONV_2D; the multiplier follows from the shapes, as in the runtime."""
    image, filters = need(view.input(0), "int8"), need(view.input(1), "int8")
    kernel, out, depth = _four(filters), _four(view.output), _four(image)[3]
    if kernel[0] != 1 or kernel[3] != out[3] or out[3] % depth:
        raise Unsupported(f"filters of shape {kernel} on {depth} channels")
    _check_length(kernel[1] * kernel[2])
    fields = _filtered(view, kernel[1], kernel[2], out[3] // depth, channels=out[3], axis=3)
    return (view.call("edge_depthwise", "edge_conv", fields),)


def dense(view: View) -> tuple[Call, ...]:
    """FULLY_CONNECTED, with one scale for all units or one each."""
    x, weights = need(view.input(0), "int8"), need(view.input(1), "int8")
    if view.op.attributes.get("weights_format", "DEFAULT") != "DEFAULT":
        raise Unsupported("shuffled weights")
    if len(shape(weights)) != 2:
        raise Unsupported(f"weights of shape {shape(weights)}")
    units, inputs = shape(weights)
    rows = elements(x) // inputs
    if elements(x) % inputs or elements(view.output) != rows * units:
        raise Unsupported(f"weights of shape {shape(weights)} on {shape(x)}")
    _check_length(inputs)
    factors = _dense_factors(view, units)
    fields: dict[str, Field] = {
        "rows": rows,
        "inputs": inputs,
        "units": units,
        "in_zero": zero(x),
        "weights_zero": zero(weights),
        "one_scale": int(len(factors) == 1),
        "weights": view.keep(content(weights)),
        "bias": _bias(view, units),
        "scaling": _scaling(view, factors),
    }
    return (view.call("edge_fully_connected", "edge_dense", fields),)


def _filtered(
    view: View, height: int, width: int, depth: int, *, channels: int, axis: int
) -> dict[str, Field]:
    filters = view.input(1)
    factors = _channel_factors(view, channels, axis)
    return {
        "window": window(view, height, width),
        "in_zero": zero(view.input(0)),
        "filter_c": depth,
        "weights": view.keep(content(filters)),
        "bias": _bias(view, channels),
        "scaling": _scaling(view, factors),
    }


def _four(tensor: Tensor) -> tuple[int, int, int, int]:
    sizes = shape(tensor)
    if len(sizes) != 4:
        raise Unsupported(f"{tensor.name} of shape {sizes}")
    return sizes[0], sizes[1], sizes[2], sizes[3]


def _check_length(products: int) -> None:
    if products > LONGEST:
        raise Unsupported(f"sums of {products} products, which may not fit 32 bits")


def _scales(weights: Tensor, channels: int, axis: int) -> tuple[float, ...]:
    """One for all channels or one each; symmetric."""
    found = weights.quantization
    if found is None or found.block_size is not None or len(found.scales) not in (1, channels):
        raise Unsupported(f"{weights.name} has not one scale for all channels, or one each")
    if len(found.scales) > 1 and found.axis != axis:
        raise Unsupported(f"{weights.name} has scales along axis {found.axis}")
    if len(found.scales) > 1 and any(found.zero_points):
        raise Unsupported(f"{weights.name} has zero points other than 0")
    if not all(0 <= each < FINEST for each in found.scales):
        raise Unsupported(f"{weights.name} has a scale that is none")
    return found.scales


def _channel_factors(view: View, channels: int, axis: int) -> list[Factor]:
    """As PopulateConvolutionQuantizationParams has them: products of doubles."""
    if zero(view.input(1)):
        raise Unsupported("filters with a zero point other than 0")
    scales = _scales(view.input(1), channels, axis)
    before, after = scale(view.input(0)), scale(view.output)
    found = [scaling(before * each / after) for each in scales]
    return found * channels if len(found) == 1 else found


def _dense_factors(view: View, units: int) -> list[Factor]:
    """As GetQuantizedConvolutionMultipler has it: the product of scales is a float."""
    scales = _scales(view.input(1), units, 0)
    before, after = scale(view.input(0)), scale(view.output)
    if len(scales) == 1:
        return [scaling(float32(before * scales[0]) / after)]
    return [scaling(before * each / after) for each in scales]


def _bias(view: View, channels: int) -> Field:
    if not view.has(2):
        if view.op.kind == "DEPTHWISE_CONV_2D":
            raise Unsupported("no bias, with which no runtime runs it")
        return None
    bias = need(view.input(2), "int32")
    if elements(bias) != channels:
        raise Unsupported(f"a bias of {elements(bias)} numbers for {channels} channels")
    return view.keep(content(bias))


def _scaling(view: View, factors: list[Factor]) -> Field:
    low, high = view.activation()
    found = factors_of(view, factors)
    return {**found, "zero": zero(need(view.output, "int8")), "min": low, "max": high}
