"""Small 8-bit models: chains of convolutions with something in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.graph import tflite_models as tfl

SIDE, DEPTH = 8, 4
SHAPE = [1, SIDE, SIDE, DEPTH]
MACS = SIDE * SIDE * DEPTH * 3 * 3 * DEPTH
"""Of each convolution: 3x3, SAME, DEPTH to DEPTH channels, on SIDE x SIDE."""

SCALE = {"quantization": tfl.quantization([0.1], [0])}


class Chain:
    """A model, op by op: each takes what the one before made."""

    def __init__(self) -> None:
        self._buffers: list[Any] = [tfl.buffer()]
        self._tensors = [tfl.tensor("x", SHAPE, "INT8", **SCALE)]
        self._ops: list[Any] = []
        self._codes: list[str] = []

    def conv(self, name: str) -> Chain:
        """A convolution of 3x3."""
        options = tfl.schema.Conv2DOptionsT()
        options.padding, options.strideH, options.strideW = tfl.schema.Padding.SAME, 1, 1
        last = len(self._tensors) - 1
        weights = self._constant(f"{name}/w", [DEPTH, 3, 3, DEPTH], "INT8", bytes(DEPTH * 36))
        bias = self._constant(f"{name}/b", [DEPTH], "INT32", bytes(4 * DEPTH))
        return self._add("CONV_2D", name, [last, weights, bias], options)

    def unary(self, kind: str, name: str) -> Chain:
        """An op of one input and one output of the same shape."""
        return self._add(kind, name, [len(self._tensors) - 1])

    def _constant(self, name: str, shape: list[int], type_: str, data: bytes) -> int:
        self._buffers.append(tfl.buffer(data))
        self._tensors.append(tfl.tensor(name, shape, type_, len(self._buffers) - 1, **SCALE))
        return len(self._tensors) - 1

    def _add(self, kind: str, name: str, inputs: list[int], options: Any = None) -> Chain:
        self._tensors.append(tfl.tensor(name, SHAPE, "INT8", **SCALE))
        if kind not in self._codes:
            self._codes.append(kind)
        made = len(self._tensors) - 1
        self._ops.append(tfl.op(self._codes.index(kind), inputs, [made], options))
        return self

    def write(self, path: Path) -> Path:
        """The file."""
        graph = tfl.subgraph(self._tensors, self._ops, [0], [len(self._tensors) - 1])
        codes = [tfl.code(kind) for kind in self._codes]
        path.write_bytes(tfl.pack(tfl.model(codes, [graph], self._buffers)))
        return path
