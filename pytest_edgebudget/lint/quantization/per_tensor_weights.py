"""
One scale for all channels of a convolution.

What it finds
    Integer kernels of convolutions of several channels with a single scale, or the same
    for each though the channels differ in range, where the runtime has kernels for one
    scale a channel. The message says how many of the values that its type has the
    narrowest channel uses.

Why it hurts
    The channel with the largest weights sets the scale for all, and a channel with
    small ones keeps a few values of its type. Scales a channel cost four bytes each and
    no time: a keyword spotter (DS-CNN, 800 samples) has 0.9138 in float, 0.9063 with them
    and 0.9025 without, where its narrowest channel is left 27 values. With them, networks
    for images stay within 2 % of their float accuracy without training (Krishnamoorthi,
    arXiv:1806.08342). A finding is a warning where a channel is left fewer than 16
    values, which is what 4-bit weights have, and a note otherwise.

Example
    depthwise_conv2d: 4 convolutions have one scale for all channels; one channel here uses
    7 of 255 values

Instead
    Scales a channel are the default of ``TFLiteConverter`` and litert-quantizer;
    onnxruntime: ``per_channel=True``. Training with simulated quantization on one
    scale for all avoids the loss as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Op, Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.quantization._layers import layers, named, short
from pytest_edgebudget.lint.quantization._onnx import integer_kernel

_TFLITE = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"})
_FEW = 16
_VALUES = 255  # of symmetric int8
_MOST = 1 << 22
"""Bytes of a kernel that are looked at: one layer of four million weights takes 40 ms."""


def _check(model: ModelFile) -> Iterator[Finding]:
    kernels = _tflite(model) if model.graph.format == "tflite" else _onnx(model)
    names, used = [], []
    for op, kernel, axis in kernels:
        channels, scales = _channels(kernel, axis), kernel.quantization
        if channels > 1 and scales is not None and len(set(scales.scales)) == 1:
            narrowest = _narrowest(kernel, axis, channels)
            if len(scales.scales) == 1 or 0 < narrowest < _VALUES // 2:
                names.append(op.name)
                used.append((narrowest, op.name))
    if names:
        yield _finding(used, names)


def _channels(kernel: Tensor, axis: int) -> int:
    shape = kernel.shape or ()
    return shape[axis] if axis < len(shape) else 0


def _tflite(model: ModelFile) -> Iterator[tuple[Op, Tensor, int]]:
    for layer in layers(model):
        if layer.op.kind in _TFLITE and layer.integer and layer.kernel.dtype == "int8":
            yield layer.op, layer.kernel, layer.axis


def _onnx(model: ModelFile) -> Iterator[tuple[Op, Tensor, int]]:
    for links in model.links:
        for op in links.subgraph.ops:
            kernel = integer_kernel(op, links)
            if kernel is not None and kernel.dtype == "int8":
                yield op, kernel, 0


def _finding(used: list[tuple[int, str]], names: list[str]) -> Finding:
    what = "1 convolution has" if len(names) == 1 else f"{len(names)} convolutions have"
    message = f"{what} one scale for all channels"
    narrowest, where = min((pair for pair in used if pair[0]), default=(0, names[0]))
    if narrowest:
        message += f"; one channel here uses {narrowest} of {_VALUES} values"
    else:
        message += f": {named(names)}"
    severity = Severity.WARNING if 0 < narrowest < _FEW else Severity.NOTE
    return Finding(message, where=short(where), severity=severity)


def _narrowest(kernel: Tensor, axis: int, channels: int) -> int:
    """Values between the ends of the channel of the smallest range; 0: not known."""
    if kernel.data is None or kernel.sparse or len(kernel.data) > _MOST:
        return 0
    weights = kernel.data.cast("B").cast("b") if kernel.data.format != "b" else kernel.data
    if axis:
        parts = [weights[channel::channels] for channel in range(channels)]
    else:
        size = len(weights) // channels
        parts = [weights[size * i : size * (i + 1)] for i in range(channels)]
    # A channel without any weight was pruned: its scale is no loss.
    widest = [max(max(part), -min(part)) for part in parts if len(part)]
    used = [most for most in widest if most]
    return 2 * min(used) + 1 if used else 0


RULE = Rule(
    code="EB304",
    name="per-tensor-weights",
    severity=Severity.NOTE,
    needs=ModelFile,
    check=_check,
)
