"""What the time of an op on a calibrated board is made of: its sizes, rounded up as kernels do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.batch import with_batch_of_one
from pytest_edgebudget.graph.constants import origins
from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor
from pytest_edgebudget.types.calibrations import Tile

PRODUCTS: Mapping[str, str] = {
    "CONV_2D": "CONV_2D",
    "DEPTHWISE_CONV_2D": "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED": "FULLY_CONNECTED",
    "TRANSPOSE_CONV": "TRANSPOSE_CONV",
}
"""Ops that multiply by weights, by the name of their costs."""
POINTWISE = "CONV_2D 1x1"
"""Name of the costs of a convolution with one weight a channel."""
SPREADING = "DEPTHWISE_CONV_2D xN"
"""Name of the costs of a depthwise convolution with several filters a channel."""
CASTS = ("QUANTIZE", "DEQUANTIZE")


FAR = 8
"""By so much the next cache is larger."""


@dataclass(frozen=True, slots=True)
class OpShape:
    """
    The sizes of one op.

    Attributes:
        name, kind: for people, and the format's own word.
        costs: under which name its costs are.
        precision: "fp32", "int8", or "hybrid": floats by weights of 8 bits.
        rows, columns, depth: of a product: pixels, filters, input channels;
            of another op: 0.
        taps: weights of a filter in each channel.
        moved, written: elements read and written that are no constants, and written.
        weights: bytes.
        known: whether all that counts is known.
    """

    name: str
    kind: str
    costs: str
    precision: str
    rows: int = 0
    columns: int = 0
    depth: int = 0
    taps: int = 1
    moved: int = 0
    weights: int = 0
    written: int = 0
    known: bool = True


def op_shapes(graph: Graph) -> tuple[OpShape, ...]:
    """The sizes of each op that runs at an inference, for a batch of one."""
    subgraph = with_batch_of_one(graph.main, graph.format)
    fixed = {i for i, tensor in enumerate(subgraph.tensors) if tensor.constant}
    fixed.update(origins(subgraph))
    return tuple(_shapes(subgraph, fixed))


def terms(shape: OpShape, tile: Tile, cache: int, weights: int) -> Mapping[str, float]:
    """
    What each cost of an op is multiplied by.

    *weights*: bytes of all weights of the model: those beyond *cache* are fetched
    again at every inference.
    """
    found = {"op": 1.0, "moved": float(shape.moved)}
    if shape.rows:
        padded = _up(shape.columns, tile.columns)
        deep = _up(shape.depth, tile.depth) * shape.taps
        found["macs"] = float(_up(shape.rows, tile.rows) * padded * deep)
        found["ragged"] = found["macs"] if padded > shape.columns else 0.0
        wide = padded > tile.columns and padded % (2 * tile.columns) > 0
        found["uneven"] = found["macs"] if wide else 0.0
        found["tiles"] = (_up(shape.rows, tile.rows) / tile.rows) * (padded / tile.columns)
        found["taps"] = float(shape.rows * shape.taps)
        found["weights"] = float(shape.weights)
        found["streamed"] = shape.weights * max(0.0, 1 - cache / max(weights, 1))
        found["far"] = shape.weights * max(0.0, 1 - FAR * cache / max(weights, 1))
    else:
        found["written"] = float(shape.written)
    return found


def _up(size: int, step: int) -> int:
    return -(-size // step) * step


def _shapes(subgraph: Subgraph, fixed: set[int]) -> Iterator[OpShape]:
    for op in subgraph.ops:
        outputs = [i for i in op.outputs if i >= 0]
        if outputs and all(i in fixed for i in outputs):
            continue
        moving = [i for i in (*op.inputs, *op.outputs) if i >= 0 and i not in fixed]
        sizes = [subgraph.tensors[i].elements for i in moving]
        moved = sum(size or 0 for size in sizes)
        name = op.name.split(";")[0]
        known = None not in sizes and not op.custom
        product = _product(op, subgraph, fixed)
        if product is None:
            costs = CASTS[0] if op.kind in CASTS else op.kind
            moves = OpShape(name, op.kind, costs, _precision(subgraph, op, fixed))
            written = sum(subgraph.tensors[i].elements or 0 for i in outputs)
            yield replace(moves, moved=moved, written=written, known=known)
        else:
            costs, rows, columns, depth, taps, weights = product
            precision = _precision(subgraph, op, fixed)
            sides = (rows, columns, depth, taps)
            yield OpShape(name, op.kind, costs, precision, *sides, moved, weights, known=known)


def _precision(subgraph: Subgraph, op: Op, fixed: set[int]) -> str:
    """Of the arithmetic of an op: by what it reads, and by its weights."""
    tensors = [(subgraph.tensors[i].dtype, i in fixed) for i in (*op.inputs, *op.outputs) if i >= 0]
    moved = {dtype for dtype, constant in tensors if not constant}
    whole = {"int8", "uint8"}
    if op.kind in CASTS:
        return "int8"
    if "float32" in moved:
        weighed = op.kind in PRODUCTS and {d for d, constant in tensors if constant} & whole
        return "hybrid" if weighed else "fp32"
    return "int8" if moved & whole else "fp32"


def _product(
    op: Op, subgraph: Subgraph, fixed: set[int]
) -> tuple[str, int, int, int, int, int] | None:
    if op.kind not in PRODUCTS or len(op.inputs) < 2 or op.inputs[1] not in fixed:
        return None
    weights, output = subgraph.tensors[op.inputs[1]], subgraph.tensors[op.outputs[0]]
    sizes, out = weights.shape or (), output.shape or ()
    if -1 in sizes or -1 in out or len(sizes) < 2:
        return None
    stored = weights.stored_bytes
    if op.kind == "FULLY_CONNECTED":
        return op.kind, max(1, math.prod(out) // sizes[0]), sizes[0], sizes[1], 1, stored
    if len(sizes) != 4 or len(out) != 4:
        return None
    taps, pixels = sizes[1] * sizes[2], out[1] * out[2]
    if op.kind == "DEPTHWISE_CONV_2D":
        multiplier = op.attributes.get("depth_multiplier", 1)
        costs = SPREADING if isinstance(multiplier, int) and multiplier > 1 else op.kind
        return costs, pixels, sizes[3], 1, taps, stored
    if op.kind == "TRANSPOSE_CONV":
        pixels = _pixels(subgraph.tensors[op.inputs[2]]) or pixels
    return POINTWISE if taps == 1 else op.kind, pixels, sizes[0], sizes[3], taps, stored


def _pixels(tensor: Tensor) -> int:
    shape: Sequence[int] = tensor.shape or ()
    return shape[1] * shape[2] if len(shape) == 4 and -1 not in shape else 0
