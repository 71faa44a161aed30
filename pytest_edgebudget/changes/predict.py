"""What a recipe would make of a number, before anything is built: with a band, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_edgebudget.fit.bounds import ACTIVATIONS, BITS, WIDTH, least_arena
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.ir import Tensor
from pytest_edgebudget.passes._magnitude import which
from pytest_edgebudget.passes._weights import Weight
from pytest_edgebudget.passes.mixed import FOUR, layers
from pytest_edgebudget.types import Recipe

SCALE = 12
"""Bytes of a .tflite for each channel of integers: a scale, and a zero point of 64 bits."""

WIDER = 4
"""Bytes that the bias of 16-bit activations has more in each channel: 64 bits, not 32."""

BAND = {"tflite": (0.99, 1.06), "onnx": (0.95, 1.6)}
"""
From the weights and scales alone to what the file has.

Of 27 recipes of five .tflite models (75 to 1,043 KiB) the files have 1.00 to 1.05 times as
much; of five recipes of one .onnx of 26 KiB 0.97 to 1.52 times: a quantizer puts ops in.
"""

NEARLY = 0.95
"""A planned arena may be smaller by so much after all: other ops in place."""

MORE = 1.15
"""Or larger: scratch memory of integer kernels, and what they keep for good."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """A number in *low*..*high*, an estimate."""

    value: float
    low: float
    high: float

    def plus(self, amount: float) -> Predicted:
        """So much more."""
        return Predicted(self.value + amount, self.low + amount, self.high + amount)


def predicted_size(graph: Graph, recipe: Recipe) -> Predicted | None:
    """
    Bytes of the file that *recipe* makes of a float model; None where that is not known.

    Known are passes that give weights fewer bits. *graph* is the source's.
    """
    if len(recipe.steps) != 1 or recipe.steps[0].name not in BITS:
        return None
    name = recipe.steps[0].name
    if name == "int4_weights" and graph.format == "onnx":
        return None  # its blocks have scales of their own, and not every product has such a kernel
    size = graph.size + graph.external_size
    channels = 0
    for weight in _once(graph):
        bits = min(_bits(name, weight), WIDTH[weight.tensor.dtype])
        size -= weight.tensor.stored_bytes - -(-(weight.tensor.elements or 0) * bits // 8)
        channels += _channels(weight)
    if graph.format == "tflite":
        size += channels * _per_channel(name)
    low, high = BAND[graph.format]
    return Predicted((size * low + size * high) / 2, size * low, size * high)


def _once(graph: Graph) -> Iterator[Weight]:
    """The weights that are stored, each once."""
    seen: set[str | bytes] = set()
    for weight in layers(graph):
        tensor: Tensor = weight.tensor
        if tensor.sparse or tensor.dtype not in WIDTH or which(tensor) in seen:
            continue
        seen.add(which(tensor))
        yield weight


def _bits(name: str, weight: Weight) -> int:
    """int4 is for dense layers and plain convolutions; the others get int8."""
    return 8 if name == "int4_weights" and weight.op.kind not in FOUR else BITS[name]


def _channels(weight: Weight) -> int:
    shape = weight.tensor.shape or (0,)
    return shape[-1] if weight.op.kind == "DEPTHWISE_CONV_2D" else shape[0]


def _per_channel(name: str) -> int:
    """Bytes for the scales of weights, and of biases where activations are integers, too."""
    if name == "float16":
        return 0
    return SCALE + (SCALE if name in ACTIVATIONS else 0) + (WIDER if name == "int16x8" else 0)


def predicted_plan(graph: Graph, recipe: Recipe, runtime: str, kernels: str) -> Predicted | None:
    """Bytes of the memory plan with the dtypes of *recipe*; None where it leaves those alone."""
    if not any(step.name in ACTIVATIONS for step in recipe.steps):
        return None
    try:
        size = least_arena(graph, recipe, runtime, kernels)
    except ValueError:
        return None
    return Predicted(size, NEARLY * size, MORE * size)
