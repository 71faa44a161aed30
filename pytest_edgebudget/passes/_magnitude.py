"""Which weights are small: magnitudes of constants, and the zeros among them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Literal

from pytest_edgebudget.facts import Array
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.ir import Op, Tensor
from pytest_edgebudget.passes._weights import weights

Word = Literal["I", "H", "B"]
WORDS: Mapping[str, Word] = {"float32": "I", "float16": "H", "int8": "B"}
"""Dtypes that can be pruned, and unsigned integers of their width."""
MINUS = {"float32": 0x80000000, "float16": 0x8000}
"""-0.0: what a zero becomes where a batch norm with a negative factor is folded in."""


def prunable(graph: Graph) -> Iterator[Tensor]:
    """
    Weights that lie in the file itself and in which 0 means zero, each once.

    Not those of depthwise convolutions: few, and the first to be missed.
    """
    seen: set[str | bytes] = set()
    for weight in weights(graph):
        tensor = weight.tensor
        shifted = tensor.quantization is not None and any(tensor.quantization.zero_points)
        usable = tensor.dtype in WORDS and not (shifted or tensor.sparse or _depthwise(weight.op))
        if usable and which(tensor) not in seen:
            seen.add(which(tensor))
            yield tensor


def which(tensor: Tensor) -> str | bytes:
    """What tells a constant from others: `clean` takes its name, and stores each content once."""
    return tensor.name or bytes(tensor.data or b"")


def _depthwise(op: Op) -> bool:
    return op.kind == "DEPTHWISE_CONV_2D" or op.attributes.get("group", 1) != 1


def zero_share(tensor: Tensor) -> float:
    """Share of *tensor*'s elements that are zero; -0.0 is."""
    assert tensor.data is not None
    words = tensor.data.cast("B").cast(WORDS[tensor.dtype]).tolist()
    zeros = words.count(0) + (words.count(MINUS[tensor.dtype]) if tensor.dtype in MINUS else 0)
    return zeros / max(len(words), 1)


def pruned(tensor: Tensor, fraction: float) -> Array:
    """
    The values of *tensor* with the smallest *fraction* of them 0, rounded up.

    Of two of the same magnitude, the one that is stored first goes first.
    """
    import numpy as np

    assert tensor.data is not None
    values = np.frombuffer(tensor.data, tensor.dtype).copy()
    order = np.argsort(_magnitude(values, tensor), kind="stable")
    values[order[: math.ceil(fraction * values.size)]] = 0
    return values.reshape(tensor.shape or ())


def _magnitude(values: Array, tensor: Tensor) -> Array:
    """|real value|: scales differ from channel to channel."""
    import numpy as np

    magnitude: Array = np.abs(values.astype(np.float32))
    quantization = tensor.quantization
    if quantization is None or quantization.axis is None or tensor.shape is None:
        return magnitude
    shape = [1] * len(tensor.shape)
    shape[quantization.axis] = -1
    scales = np.array(quantization.scales, np.float32).reshape(shape)
    scaled: Array = magnitude.reshape(tensor.shape) * scales
    return scaled.reshape(-1)
