"""Batch norms into the layers before them: what a runtime computes is what is trained."""

from __future__ import annotations

from typing import Any

from pytest_edgebudget.facts import Array
from pytest_edgebudget.training.graphs import consumers, copied, functional, makers, rebuilt

FOLDING = ("Conv1D", "Conv2D", "DepthwiseConv1D", "DepthwiseConv2D", "Conv2DTranspose", "Dense")
"""Layers that a batch norm behind them can become a part of."""


def folded(model: Any) -> Any:
    """
    A functional model that answers as *model* does, of fewer and simpler layers.

    Batch norms become part of the convolution or dense layer before them, or where
    there is none a depthwise convolution of 1 x 1; separable convolutions become two
    layers. Names of layers are kept, and weights are copies.
    """
    source = functional(model)
    fresh: dict[int, Any] = {}

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("training", None)
        kwargs.pop("mask", None)
        kind = type(layer).__name__
        if kind == "BatchNormalization":
            return args[0] if _foldable(layer) else _scaled(layer, args[0])
        if kind == "SeparableConv2D":
            return _separated(layer, args[0])
        if not hasattr(layer, "get_weights"):
            return layer(*args, **kwargs)  # an operation such as a + b
        new = fresh.get(id(layer))
        if new is None:
            new = fresh[id(layer)] = copied(layer, **_changes(layer))
        result = new(*args, **kwargs)
        new.set_weights(_weights(layer))
        return result

    return rebuilt(source, call)


def _foldable(norm: Any) -> bool:
    """Whether the layer before *norm* takes it in: nothing else reads that layer."""
    before = makers(norm)
    return (
        len(before) == 1
        and type(before[0]).__name__ in FOLDING
        and len(consumers(before[0])) == 1
        and getattr(before[0].activation, "__name__", "") == "linear"
        and _axis(norm) == len(norm.input.shape) - 1
    )


def _axis(norm: Any) -> int:
    axis = norm.axis if isinstance(norm.axis, int) else norm.axis[0]
    return int(axis % len(norm.input.shape))


def _norm_behind(layer: Any) -> Any:
    after = consumers(layer)
    if len(after) == 1 and type(after[0]).__name__ == "BatchNormalization":
        return after[0] if _foldable(after[0]) else None
    return None


def _changes(layer: Any) -> dict[str, Any]:
    return {"use_bias": True} if _norm_behind(layer) is not None else {}


def _weights(layer: Any) -> list[Array]:
    """The weights of *layer* with the batch norm behind it."""
    values: list[Array] = layer.get_weights()
    norm = _norm_behind(layer)
    if norm is None:
        return values
    scale, shift = _affine(norm)
    kernel = values[0]
    bias = values[1] * scale + shift if layer.use_bias else shift
    return [_times(kernel, scale, layer), bias]


def _affine(norm: Any) -> tuple[Array, Array]:
    """What *norm* multiplies each channel by, and what it adds."""
    import numpy as np

    mean, variance = norm.moving_mean.numpy(), norm.moving_variance.numpy()
    gamma = norm.gamma.numpy() if norm.scale else np.ones_like(mean)
    beta = norm.beta.numpy() if norm.center else np.zeros_like(mean)
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return scale, beta - mean * scale


def _times(kernel: Array, scale: Array, layer: Any) -> Array:
    """The kernel with each output channel multiplied by *scale*."""
    kind = type(layer).__name__
    factor = scale
    if kind.startswith("Depthwise"):
        factor = scale.reshape(kernel.shape[-2:])
    if kind == "Conv2DTranspose":  # (height, width, output, input)
        factor = scale[:, None]
    times: Array = kernel * factor
    return times


def _scaled(norm: Any, inputs: Any) -> Any:
    """A batch norm with no layer to go into, as a depthwise convolution of 1 x 1."""
    import keras

    shape = inputs.shape[1:]
    if _axis(norm) != len(shape) or len(shape) > 3 or None in shape:
        return norm(inputs)
    scale, shift = _affine(norm)
    layer = keras.layers.DepthwiseConv2D(1, name=norm.name)
    image = (*shape[:1], 1, shape[-1]) if len(shape) == 2 else (1, 1, shape[-1])
    if len(shape) < 3:
        inputs = keras.layers.Reshape(image, name=f"{norm.name}_as_image")(inputs)
    result = layer(inputs)
    layer.set_weights([scale.reshape(1, 1, -1, 1), shift])
    if len(shape) < 3:
        result = keras.layers.Reshape(shape, name=f"{norm.name}_as_before")(result)
    return result


def _separated(layer: Any, inputs: Any) -> Any:
    """A separable convolution as a depthwise one and one of 1 x 1."""
    import keras

    depthwise = keras.layers.DepthwiseConv2D(
        layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding,
        dilation_rate=layer.dilation_rate,
        depth_multiplier=layer.depth_multiplier,
        use_bias=False,
        name=f"{layer.name}_depthwise",
    )
    pointwise = keras.layers.Conv2D(
        layer.filters, 1, use_bias=True, activation=layer.activation, name=layer.name
    )
    result = pointwise(depthwise(inputs))
    first, second, *bias = layer.get_weights()
    depthwise.set_weights([first])
    pointwise.set_weights([second, bias[0] if bias else 0 * second[0, 0, 0]])
    return result
