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

    def __init__(self, input_: str = "INT8", shape: list[int] = SHAPE) -> None:
        self._shape = shape
        self._buffers: list[Any] = [tfl.buffer()]
        self._tensors = [tfl.tensor("x", shape, input_, **SCALE)]
        self._ops: list[Any] = []
        self._codes: list[str] = []
        self._last = 0
        self._custom = ""

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
        return self._add("CONV_2D", name, inputs, options)

    def reshape(self, name: str) -> Chain:
        """The same shape once more."""
        target = struct.pack(f"<{len(self._shape)}i", *self._shape)
        return self.op("RESHAPE", name, ([len(self._shape)], "INT32", target))

    def op(
        self,
        kind: str,
        name: str,
        *constants: tuple[list[int], str, bytes],
        options: Any = None,
        shape: list[int] | None = None,
        type_: str = "INT8",
        first: bool = True,
    ) -> Chain:
        """Any op: of what was made so far (*first*: before the constants), and of constants."""
        inputs = [self._constant(f"{name}/{n}", *each) for n, each in enumerate(constants)]
        inputs.insert(0 if first else len(inputs), self._last)
        self._shape = shape or self._shape
        return self._add(kind, name, inputs, options, type_)

    def restart(self) -> Chain:
        """The next op takes the model's input: another branch."""
        self._last = 0
        return self

    def custom(self, code: str, name: str) -> Chain:
        """A custom op of one input and one output."""
        self._custom = code
        return self._add("CUSTOM", name, [self._last])

    def _constant(self, name: str, shape: list[int], type_: str, data: bytes) -> int:
        self._buffers.append(tfl.buffer(data))
        self._tensors.append(tfl.tensor(name, shape, type_, len(self._buffers) - 1, **SCALE))
        return len(self._tensors) - 1

    def _add(
        self, kind: str, name: str, inputs: list[int], options: Any = None, type_: str = "INT8"
    ) -> Chain:
        self._tensors.append(tfl.tensor(name, self._shape, type_, **SCALE))
        self._last = len(self._tensors) - 1
        if kind not in self._codes:
            self._codes.append(kind)
        self._ops.append(tfl.op(self._codes.index(kind), inputs, [self._last], options))
        return self

    def write(self, path: Path) -> Path:
        """The file."""
        graph = tfl.subgraph(self._tensors, self._ops, [0], [self._last])
        codes = [
            tfl.code(kind, custom=self._custom if kind == "CUSTOM" else None)
            for kind in self._codes
        ]
        path.write_bytes(tfl.pack(tfl.model(codes, [graph], self._buffers)))
        return path


def options(kind: str, **values: Any) -> Any:
    made = getattr(tfl.schema, f"{kind}OptionsT")()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def ints(*values: int) -> tuple[list[int], str, bytes]:
    return [len(values)], "INT32", struct.pack(f"<{len(values)}i", *values)


def mnist(path: Path, *, float_ends: bool) -> Path:
    """The digits network of github.com/system-software-lab/nrf20, convert/quantize."""
    model = Chain("FLOAT32" if float_ends else "INT8")
    if float_ends:
        model.op("QUANTIZE", "quantize")
    pool = options("Pool2D", filterHeight=2, filterWidth=2, strideH=1, strideW=1)
    for n in (1, 2):
        model.conv(f"conv_{n}").op("MAX_POOL_2D", f"pool_{n}", options=pool)
    model.op("RESHAPE", "flat", ints(1, 256), shape=[1, 256])
    for n, width in ((1, 16), (2, 10)):
        fan = 256 if n == 1 else 16
        weights = [width, fan], "INT8", bytes(width * fan)
        bias = [width], "INT32", bytes(4 * width)
        model.op("FULLY_CONNECTED", f"dense_{n}", weights, bias, shape=[1, width])
    model.op("SOFTMAX", "softmax")
    if float_ends:
        model.op("DEQUANTIZE", "dequantize", type_="FLOAT32")
    return model.write(path)
