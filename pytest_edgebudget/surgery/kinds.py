"""How each kind of layer hands channels on, and which of its weights they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from pytest_edgebudget.facts import Array
from pytest_edgebudget.surgery.channels import Channels
from pytest_edgebudget.surgery.rebuild import Call

Side = Literal["in", "out", "spread"]
"""Channels of a weight's axis: the layer's input's, its output's, or the input's times depth."""

Given = tuple[Array, ...]
"""Channels of each input of a call."""

Flow = Callable[[Call, Given, Channels], "Array | None"]
"""Channels of the output; None where it is not known how they come through."""


@dataclass(frozen=True, slots=True)
class Kind:
    """
    One kind of layer.

    Attributes:
        flow: how channels come through it.
        width: the key of its configuration that counts its output's channels.
        cuts: per weight, its axes that are channels.
    """

    flow: Flow
    width: str = ""
    cuts: Mapping[str, tuple[tuple[int, Side], ...]] = field(default_factory=dict)


def _last(call: Call) -> bool:
    """Whether channels are the last axis of what the layer takes."""
    return getattr(call.op, "data_format", "channels_last") == "channels_last"


def _same(call: Call, given: Given, channels: Channels) -> Array | None:
    """A layer that treats each channel alone."""
    kept = call.outputs[0].shape[-1] == len(given[0])
    return given[0] if len(given) == 1 and kept and _last(call) else None


def _norm(call: Call, given: Given, channels: Channels) -> Array | None:
    """A normalization with a scale a channel."""
    axis, rank = call.op.axis, len(call.inputs[0].shape)
    axes = [axis] if isinstance(axis, int) else list(axis)
    return given[0] if axes in ([-1], [rank - 1]) and len(given) == 1 else None


def _made(call: Call, given: Given, channels: Channels) -> Array | None:
    """A layer that mixes all channels into new ones."""
    if not _last(call) or getattr(call.op, "groups", 1) != 1 or not plain(call.op):
        return None
    made = channels.new(call.outputs[0].shape[-1], call.op.name)
    if mixes(call.op):
        channels.freeze(made)
    return made


def mixes(layer: Any) -> bool:
    """Whether the activation of *layer* looks at more than one channel."""
    return not _elementwise(getattr(layer, "activation", None))


def plain(layer: Any) -> bool:
    """Neither quantized by Keras nor with LoRA's weights beside its own."""
    return not getattr(layer, "quantization_mode", None) and not getattr(
        layer, "lora_enabled", False
    )


def _depthwise(call: Call, given: Given, channels: Channels) -> Array | None:
    """Each channel becomes *depth_multiplier* channels."""
    if not _last(call) or not _elementwise(call.op.activation):
        return None
    return np.repeat(given[0], call.op.depth_multiplier)


def _activation(call: Call, given: Given, channels: Channels) -> Array | None:
    return given[0] if _elementwise(call.op.activation) else None


ELEMENTWISE = {
    *("linear", "relu", "relu6", "sigmoid", "hard_sigmoid", "tanh", "hard_tanh", "elu", "selu"),
    *("celu", "gelu", "silu", "swish", "hard_silu", "hard_swish", "softplus", "softsign"),
    *("leaky_relu", "exponential", "mish", "threshold", "log_sigmoid", "squareplus"),
    *("tanh_shrink", "soft_shrink", "hard_shrink", "sparse_plus"),
}


def _elementwise(activation: Any) -> bool:
    """Whether *activation* looks at one number only, as softmax does not."""
    name = getattr(activation, "__name__", "") or getattr(activation, "name", "")
    return activation is None or name in ELEMENTWISE or type(activation).__name__ == "ReLU"


def _tied(call: Call, given: Given, channels: Channels) -> Array | None:
    """Inputs meet element by element; one channel stands beside many."""
    widest = max(given, key=len)
    for numbers in given:
        if len(numbers) == len(widest):
            channels.tie(widest, numbers)
        elif len(numbers) != 1:
            return None
    constants = [arg for arg in call.args if not isinstance(arg, int | float | bool | type(None))]
    known = len(call.inputs) == len(given) and all(_has_tensors(arg) for arg in constants)
    return widest if known else None


def _has_tensors(arg: Any) -> bool:
    from pytest_edgebudget.surgery.rebuild import tensors

    return bool(tensors(arg))


def _joined(call: Call, given: Given, channels: Channels) -> Array | None:
    """One after the other along the channels, or along another axis."""
    if call.op.axis in (-1, len(call.inputs[0].shape) - 1):
        return np.concatenate(given)
    return _tied(call, given, channels)


def _reshaped(call: Call, given: Given, channels: Channels) -> Array | None:
    """Numbers keep their order; the last axis has to tell channels still."""
    old, new = call.inputs[0].shape[1:], call.outputs[0].shape[1:]
    if None in (*old, *new) or not _last(call):
        return None
    whole = np.broadcast_to(given[0], old).reshape(-1, new[-1])
    return whole[0] if bool((whole == whole[0]).all()) else None


def _rescaled(call: Call, given: Given, channels: Channels) -> Array | None:
    scalars = all(np.ndim(value) == 0 for value in (call.op.scale, call.op.offset))
    return given[0] if scalars else None


_CONV = Kind(_made, "filters", {"kernel": ((-2, "in"), (-1, "out")), "bias": ((0, "out"),)})
_TRANSPOSED = Kind(_made, "filters", {"kernel": ((-1, "in"), (-2, "out")), "bias": ((0, "out"),)})
_SEPARABLE = Kind(
    _made,
    "filters",
    {
        "depthwise_kernel": ((-2, "in"),),
        "pointwise_kernel": ((-2, "spread"), (-1, "out")),
        "bias": ((0, "out"),),
    },
)
_DEPTHWISE = Kind(_depthwise, cuts={"kernel": ((-2, "in"),), "bias": ((0, "out"),)})
_VECTORS = ("gamma", "beta", "moving_mean", "moving_variance")
_NORM = Kind(_norm, cuts=dict.fromkeys(_VECTORS, ((0, "in"),)))


def _dimensions(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}{rank}D" for name in names for rank in (1, 2, 3))


_ALONE = (
    *("ReLU", "LeakyReLU", "ELU", "Identity", "ActivityRegularization"),
    *("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
    *_dimensions("MaxPooling", "AveragePooling", "GlobalMaxPooling", "GlobalAveragePooling"),
    *_dimensions("UpSampling", "ZeroPadding", "Cropping", "SpatialDropout"),
    *("ops.ConvertToTensor", "ops.Relu", "ops.Relu6", "ops.Sigmoid", "ops.Tanh", "ops.Silu"),
    *("ops.HardSigmoid", "ops.HardSilu", "ops.LeakyRelu", "ops.Elu", "ops.Gelu"),
)
_TOGETHER = (
    *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"),
    *("ops.Add", "ops.Subtract", "ops.Multiply", "ops.Divide", "ops.TrueDivide"),
    *("ops.Maximum", "ops.Minimum"),
)
KINDS: dict[str, Kind] = {
    "Dense": Kind(_made, "units", {"kernel": ((0, "in"), (1, "out")), "bias": ((0, "out"),)}),
    "Embedding": Kind(_made, "output_dim", {"embeddings": ((1, "out"),)}),
    **dict.fromkeys(_dimensions("Conv"), _CONV),
    **{f"Conv{rank}DTranspose": _TRANSPOSED for rank in (1, 2, 3)},
    **dict.fromkeys(_dimensions("SeparableConv"), _SEPARABLE),
    **dict.fromkeys(_dimensions("DepthwiseConv"), _DEPTHWISE),
    **dict.fromkeys(("BatchNormalization", "LayerNormalization"), _NORM),
    "PReLU": Kind(_same, cuts={"alpha": ((-1, "in"),)}),
    "Activation": Kind(_activation),
    "Rescaling": Kind(_rescaled),
    **dict.fromkeys(_ALONE, Kind(_same)),
    **dict.fromkeys(_TOGETHER, Kind(_tied)),
    "Concatenate": Kind(_joined),
    **dict.fromkeys(("Flatten", "Reshape"), Kind(_reshaped)),
}
"""Every kind that is known; the channels of others are left whole."""
