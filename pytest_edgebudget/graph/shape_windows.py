"""
Output shapes of ONNX ops that slide a window: convolutions and pooling.

Source: https://onnx.ai/onnx/operators/ (Conv, ConvTranspose, MaxPool).
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_edgebudget.graph.shape_view import Shape, ShapeRule, ShapeRules, View


def _window(view: View, sizes: Shape, kernel: Shape) -> Shape:
    """The spatial sizes behind a window of *kernel*."""
    rank = len(sizes)
    strides = view.integers("strides", (1,) * rank)
    dilations = view.integers("dilations", (1,) * rank)
    pads = view.integers("pads", (0,) * (2 * rank))
    auto, up = view.text("auto_pad", "NOTSET"), bool(view.integer("ceil_mode", 0))
    if auto.startswith("SAME"):
        return tuple(n if n < 0 else -(-n // s) for n, s in zip(sizes, strides, strict=True))
    if auto == "VALID":
        pads = (0,) * (2 * rank)
    result = []
    for i in range(rank):
        room = sizes[i] + pads[i] + pads[i + rank] - dilations[i] * (kernel[i] - 1) - 1
        count = (-(-room // strides[i]) if up else room // strides[i]) + 1
        if up and (count - 1) * strides[i] >= sizes[i] + pads[i]:
            count -= 1  # a window must start in the input or the padding before it
        result.append(-1 if sizes[i] < 0 else max(count, 0))
    return tuple(result)


def _convolution(weights: int) -> ShapeRule:
    """Conv and its quantized kin; *weights* is the index of that input."""

    def rule(view: View) -> Sequence[Shape | None]:
        x, w = view.shape(0), view.shape(weights)
        if x is None or w is None:
            return (None,)
        kernel = view.integers("kernel_shape", w[2:])
        return ((x[0], w[0], *_window(view, x[2:], kernel)),)

    return rule


def _transposed(view: View) -> Sequence[Shape | None]:
    x, w = view.shape(0), view.shape(1)
    if x is None or w is None:
        return (None,)
    rank = len(x) - 2
    strides = view.integers("strides", (1,) * rank)
    extra = view.integers("output_padding", (0,) * rank)
    dilations = view.integers("dilations", (1,) * rank)
    pads = view.integers("pads", (0,) * (2 * rank))
    given, same = view.integers("output_shape"), view.text("auto_pad", "").startswith("SAME")
    sizes = []
    for i in range(rank):
        reach = strides[i] * (x[2 + i] - 1) + extra[i] + dilations[i] * (w[2 + i] - 1) + 1
        count = x[2 + i] * strides[i] if same else reach - pads[i] - pads[i + rank]
        sizes.append(-1 if x[2 + i] < 0 else count)
    return ((x[0], w[1] * view.integer("group", 1), *(given or sizes)),)


def _pooling(view: View) -> Sequence[Shape | None]:
    x = view.shape(0)
    if x is None:
        return (None,)
    pooled = (*x[:2], *_window(view, x[2:], view.integers("kernel_shape")))
    return (pooled,) * len(view.op.outputs)


def _global_pooling(view: View) -> Sequence[Shape | None]:
    x = view.shape(0)
    return (None if x is None else (*x[:2], *(1 for _ in x[2:])),)


RULES: ShapeRules = {
    **dict.fromkeys(("Conv", "ConvInteger", "com.microsoft:FusedConv"), _convolution(1)),
    "QLinearConv": _convolution(3),
    "ConvTranspose": _transposed,
    **dict.fromkeys(("MaxPool", "AveragePool", "LpPool"), _pooling),
    "com.microsoft:QLinearAveragePool": _pooling,
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"), _global_pooling),
    "com.microsoft:QLinearGlobalAveragePool": _global_pooling,
}
