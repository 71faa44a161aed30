"""
Temporaries of LiteRT's hybrid kernels: float inputs, integer weights.

They quantize their input at each run, and need room for that: the input in
8 bits, a scale and an offset for each batch, accumulators. What depends on the
weights alone (row sums) is kept for good.

Source: `Prepare` in conv.cc, depthwise_conv.cc, fully_connected.cc,
batch_matmul.cc and transpose_conv.cc of LiteRT's tflite/kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from pytest_edgebudget.graph.memory_litert_homes import Home
from pytest_edgebudget.graph.memory_litert_temporary import Temporary, Use

_WORD = 4
_BATCHED = 2  # the last two dimensions of a matrix in a batch


def is_hybrid(use: Use, source: int, weights: int, dtypes: Sequence[str]) -> bool:
    """Whether a float input meets weights of one of *dtypes*; arguments: positions."""
    return use.dtype(source) == "float32" and use.dtype(weights) in dtypes


def conv(use: Use, im2col: Sequence[Temporary]) -> list[Temporary]:
    """CONV_2D: a scale for each pixel and group; more where channels have scales of their own."""
    batch, height, width, depth = _four(use.shape(0))
    outputs, _, _, inputs = _four(use.shape(1))
    groups = depth // inputs if inputs else 0
    pixels = batch * height * width * groups
    found = [
        *im2col,
        Temporary("quantized input", use.elements(0)),
        Temporary("scales", pixels * _WORD),
        Temporary("accumulators", outputs * prod(use.output[:3]) * _WORD),
    ]
    if _per_channel(use):
        found.append(Temporary("input offsets", pixels * _WORD))
        found.append(Temporary("row sums", outputs * _WORD, Home.PERSISTENT))
    return found


def _per_channel(use: Use) -> bool:
    weights = use.input(1)
    if weights is None or weights.quantization is None or weights.dtype == "uint8":
        return False
    return len(set(weights.quantization.scales)) > 1


def depthwise(use: Use) -> list[Temporary]:
    """DEPTHWISE_CONV_2D."""
    batch = _four(use.shape(0))[0]
    return [
        Temporary("quantized input", use.elements(0)),
        Temporary("scales", batch * _WORD),
        Temporary("input offsets", batch * _WORD),
    ]


def transpose_conv(use: Use) -> list[Temporary]:
    """TRANSPOSE_CONV."""
    depth = _four(use.shape(1))[3]
    pixels = use.elements(2) // depth if depth else 0
    return [
        Temporary("quantized input", use.elements(2)),
        Temporary("scales", pixels * _WORD),
        Temporary("input offsets", pixels * _WORD),
    ]


def fully_connected(use: Use) -> list[Temporary]:
    """FULLY_CONNECTED: of sparse weights also a table of where they are."""
    units, depth = (*use.shape(1), 0, 0)[:2]
    batch = use.elements(0) // depth if depth else 0
    found = [
        Temporary("quantized input", use.elements(0)),
        Temporary("scales", batch * _WORD),
        Temporary("accumulators", units * batch * _WORD),
        Temporary("input offsets", batch * _WORD),
        Temporary("row sums", units * _WORD, Home.PERSISTENT),
    ]
    weights = use.input(1)
    if weights is not None and weights.sparsity is not None:
        rows = weights.sparsity.dimensions[1]
        size = max(rows.indices + rows.segments - 1, 0)
        found.append(Temporary("ledger", size, Home.PERSISTENT))
    return found


def batch_matmul(use: Use) -> list[Temporary]:
    """BATCH_MATMUL, in addition to its transposed operands."""
    left, right = use.shape(0), use.shape(1)
    rows = left[-1] if use.op.attributes.get("adj_x") else left[-2]
    units = right[-2] if use.op.attributes.get("adj_y") else right[-1]
    batches = prod(left[:-_BATCHED]) * rows
    return [
        Temporary("quantized input", use.elements(0)),
        Temporary("scales", batches * _WORD),
        Temporary("accumulators", units * rows * _WORD),
        Temporary("input offsets", batches * _WORD),
        Temporary("row sums", prod(right[:-_BATCHED]) * units * _WORD, Home.PERSISTENT),
    ]


def _four(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """A shape of four dimensions; one that is not there is 0."""
    a, b, c, d = (*shape, 0, 0, 0, 0)[:4]
    return a, b, c, d
