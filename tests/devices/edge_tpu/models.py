"""Small 8-bit models: chains of convolutions with something in between."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from tests.graph import tflite_models as tfl

SIDE, DEPTH = 8, 4
MACS = SIDE * SIDE * DEPTH * 3 * 3 * DEPTH
"""Of each convolution: 3x3, SAME, DEPTH to DEPTH channels, on SIDE x SIDE."""

WEIGHTS = DEPTH * 3 * 3 * DEPTH + 4 * DEPTH
"""Bytes of weights and bias of each convolution."""

SHAPE = [1, SIDE, SIDE, DEPTH]
SCALE = {"quantization": tfl.quantization([0.1], [0])}


class Chain:
    """A model, op by op: each takes what the one before made."""

    def __init__(self, type_: str = "INT8") -> None:
        self._type = type_
        self._buffers: list[Any] = [tfl.buffer()]
        self._tensors = [tfl.tensor("x", SHAPE, type_, **SCALE)]
        self._ops: list[Any] = []
        self._codes: list[str] = []
        self._last = 0

    def conv(self, name: str, weights: str = "INT8", dilation: tuple[int, int] = (1, 1)) -> Chain:
        """A convolution of 3x3."""
        options = tfl.schema.Conv2DOptionsT()
        options.padding, options.strideH, options.strideW = tfl.schema.Padding.SAME, 1, 1
        options.dilationHFactor, options.dilationWFactor = dilation
        inputs = [
            self._last,
            self._constant(f"{name}/w", [DEPTH, 3, 3, DEPTH], weights, bytes(DEPTH * 36)),
            self._constant(f"{name}/b", [DEPTH], "INT32", bytes(4 * DEPTH)),
        ]
        return self._add("CONV_2D", name, inputs, SHAPE, options)

    def reshape(self, name: str) -> Chain:
        """The same shape once more."""
        target = self._constant(f"{name}/shape", [4], "INT32", struct.pack("<4i", *SHAPE))
        return self._add("RESHAPE", name, [self._last, target], SHAPE)

    def unary(self, kind: str, name: str, options: Any = None) -> Chain:
        """An op of one input and one output of the same shape."""
        return self._add(kind, name, [self._last], SHAPE, options)

    def _constant(self, name: str, shape: list[int], type_: str, data: bytes) -> int:
        self._buffers.append(tfl.buffer(data))
        self._tensors.append(tfl.tensor(name, shape, type_, len(self._buffers) - 1, **SCALE))
        return len(self._tensors) - 1

    def _add(
        self, kind: str, name: str, inputs: list[int], shape: list[int], options: Any = None
    ) -> Chain:
        self._tensors.append(tfl.tensor(name, shape, self._type, **SCALE))
        self._last = len(self._tensors) - 1
        if kind not in self._codes:
            self._codes.append(kind)
        self._ops.append(tfl.op(self._codes.index(kind), inputs, [self._last], options))
        return self

    def write(self, path: Path) -> Path:
        """The file."""
        graph = tfl.subgraph(self._tensors, self._ops, [0], [self._last])
        codes = [tfl.code(kind) for kind in self._codes]
        path.write_bytes(tfl.pack(tfl.model(codes, [graph], self._buffers)))
        return path
