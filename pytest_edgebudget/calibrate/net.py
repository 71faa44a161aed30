"""Small networks with random weights, as .tflite files: written here, without a framework."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np

from pytest_edgebudget.calibrate.tables import table
from pytest_edgebudget.graph.tflite_schema import ENUMS, OPERATORS, OPTIONS

SCALE = 0.05
"""Of every int8 tensor whose range its op does not prescribe."""
_FIXED = {"SOFTMAX": (1 / 256, -128), "LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
_VERSIONS = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4, "TRANSPOSE_CONV": 3}
_TYPES = ENUMS["TensorType"].split()
_MANY = 1024  # weights, below which converters leave a depthwise kernel in float
_OTHERS = 2  # of ops that take int8
_SMALLEST = {"RESHAPE": 1, "HARD_SWISH": 1, "DEQUANTIZE": 2, "QUANTIZE": 1}


@dataclass(frozen=True, slots=True)
class _Tensor:
    shape: tuple[int, ...]
    dtype: str
    data: bytes = b""
    scales: tuple[float, ...] = ()
    zero_point: int = 0


@dataclass(frozen=True, slots=True)
class _Op:
    kind: str
    inputs: tuple[int, ...]
    output: int
    options: str
    values: dict[str, Any]


@dataclass(slots=True)
class Net:
    """
    A network under construction; *at* is the tensor that the next op reads.

    *precision*: "fp32", "int8", or "hybrid" (weights of 8 bits, the rest in float).
    """

    shape: Sequence[int]
    precision: str
    at: int = 0
    _tensors: list[_Tensor] = field(default_factory=list)
    _ops: list[_Op] = field(default_factory=list)
    _random: Any = field(default_factory=lambda: np.random.default_rng(0))

    def __post_init__(self) -> None:
        self._activation(tuple(self.shape))

    @property
    def here(self) -> tuple[int, ...]:
        """The shape of the tensor at hand."""
        return self._tensors[self.at].shape

    def conv(
        self, filters: int, kernel: tuple[int, int] = (3, 3), stride: int = 1, same: bool = True
    ) -> Net:
        """A convolution with bias and ReLU."""
        weights = self._weights((filters, *kernel, self.here[3]), 0)
        values = _window(stride, same, fused_activation_function="RELU")
        return self._op(
            "CONV_2D", (weights, self._bias(filters)), "Conv2DOptions", values,
            (1, *_moved(self.here, kernel, stride, same), filters),
        )  # fmt: skip

    def depthwise(
        self, kernel: tuple[int, int] = (3, 3), stride: int = 1, multiplier: int = 1
    ) -> Net:
        """A depthwise convolution with bias and ReLU."""
        channels = self.here[3] * multiplier
        weights = self._weights((1, *kernel, channels), 3, math.prod(kernel) * channels)
        values = _window(
            stride, True, depth_multiplier=multiplier, fused_activation_function="RELU"
        )
        return self._op(
            "DEPTHWISE_CONV_2D", (weights, self._bias(channels)), "DepthwiseConv2DOptions", values,
            (1, *_moved(self.here, kernel, stride, True), channels),
        )  # fmt: skip

    def up(self, filters: int, kernel: tuple[int, int] = (2, 2), stride: int = 2) -> Net:
        """A transposed convolution without bias."""
        shape = (1, self.here[1] * stride, self.here[2] * stride, filters)
        sizes = self._integers(shape)
        weights = self._weights((filters, *kernel, self.here[3]), 0)
        previous, self.at = self.at, sizes
        return self._op(
            "TRANSPOSE_CONV", (weights, previous), "TransposeConvOptions", _window(stride, True),
            shape,
        )  # fmt: skip

    def dense(self, units: int) -> Net:
        """A fully connected layer with bias and ReLU."""
        weights = self._weights((units, self.here[-1]), None)
        values = {"fused_activation_function": "RELU"}
        return self._op(
            "FULLY_CONNECTED", (weights, self._bias(units)), "FullyConnectedOptions", values,
            (*self.here[:-1], units),
        )  # fmt: skip

    def pool(self, kind: str, size: int, stride: int) -> Net:
        """AVERAGE_POOL_2D or MAX_POOL_2D, without padding."""
        values = _window(stride, False, filter_width=size, filter_height=size)
        shape = (1, *_moved(self.here, (size, size), stride, False), self.here[3])
        return self._op(kind, (), "Pool2DOptions", values, shape)

    def mean(self) -> Net:
        """The mean over height and width."""
        axes = self._integers((1, 2))
        return self._op("MEAN", (axes,), "ReducerOptions", {}, (1, self.here[3]))

    def flat(self) -> Net:
        """A vector of all elements."""
        return self.reshape((1, math.prod(self.here)))

    def reshape(self, shape: tuple[int, ...]) -> Net:
        """Another shape."""
        sizes = self._integers(shape)
        return self._op("RESHAPE", (sizes,), "ReshapeOptions", {"new_shape": shape}, shape)

    def pad(self, by: int = 1) -> Net:
        """Zeros around height and width."""
        sizes = self._integers((0, 0, by, by, by, by, 0, 0), (4, 2))
        _, height, width, channels = self.here
        shape = (1, height + 2 * by, width + 2 * by, channels)
        return self._op("PAD", (sizes,), "PadOptions", {}, shape)

    def two(self, kind: str, other: int) -> Net:
        """ADD, MUL or SUB with the tensor *other*."""
        return self._op(kind, (other,), f"{kind.capitalize()}Options", {}, self.here)

    def join(self, other: int) -> Net:
        """Concatenate the channels of *other*."""
        last = self.here[-1] + self._tensors[other].shape[-1]
        values = {"axis": len(self.here) - 1}
        return self._op(
            "CONCATENATION", (other,), "ConcatenationOptions", values, (*self.here[:-1], last)
        )

    def one(self, kind: str) -> Net:
        """An op of one input and no options: LOGISTIC, TANH, RELU, HARD_SWISH, SOFTMAX."""
        options = {"SOFTMAX": "SoftmaxOptions", "HARD_SWISH": "HardSwishOptions"}.get(kind, "NONE")
        values = {"beta": 1.0} if kind == "SOFTMAX" else {}
        self._op(kind, (), options, values, self.here, _FIXED.get(kind))
        return self

    def resize(self) -> Net:
        """Twice the height and width, bilinear."""
        _, height, width, channels = self.here
        sizes = self._integers((2 * height, 2 * width))
        shape = (1, 2 * height, 2 * width, channels)
        values = {"half_pixel_centers": True}
        return self._op("RESIZE_BILINEAR", (sizes,), "ResizeBilinearOptions", values, shape)

    def cast(self) -> Net:
        """From int8 to float, or back."""
        whole = self._tensors[self.at].dtype == "INT8"
        kind = "DEQUANTIZE" if whole else "QUANTIZE"
        self._op(kind, (), f"{kind.capitalize()}Options", {}, self.here)
        if whole:
            self._tensors[self.at] = _Tensor(self.here, "FLOAT32")
        else:
            self._tensors[self.at] = _Tensor(self.here, "INT8", b"", (SCALE,))
        return self

    # --- parts ----------------------------------------------------------------

    def _op(
        self,
        kind: str,
        more: tuple[int, ...],
        options: str,
        values: dict[str, Any],
        shape: tuple[int, ...],
        quantized: tuple[float, int] | None = None,
    ) -> Net:
        inputs = (self.at, *more)
        like = self._tensors[self.at]
        scale, zero = quantized or (
            (like.scales[0], like.zero_point) if like.scales and kind in _SAME else (SCALE, 0)
        )
        self._activation(shape, scale, zero)
        self._ops.append(_Op(kind, inputs, self.at, options, values))
        return self

    def _activation(self, shape: tuple[int, ...], scale: float = SCALE, zero: int = 0) -> None:
        whole = self.precision == "int8"
        scales = (scale,) if whole else ()
        self.at = self._new(
            _Tensor(shape, "INT8" if whole else "FLOAT32", b"", scales, zero if whole else 0)
        )

    def _weights(self, shape: tuple[int, ...], axis: int | None, count: int = _MANY) -> int:
        fan = max(1, math.prod(shape) // shape[axis or 0])
        if self.precision == "fp32" or (self.precision == "hybrid" and count < _MANY):
            data = self._random.standard_normal(shape, np.float32) / math.sqrt(fan)
            return self._new(_Tensor(shape, "FLOAT32", data.astype(np.float32).tobytes()))
        whole = self._random.integers(-127, 128, shape, np.int8)
        scales = (0.01 / math.sqrt(fan),) * (1 if axis is None else shape[axis])
        return self._new(_Tensor(shape, "INT8", whole.tobytes(), scales))

    def _bias(self, count: int) -> int:
        if self.precision != "int8":
            return self._new(_Tensor((count,), "FLOAT32", np.zeros(count, np.float32).tobytes()))
        weights, data = self._tensors[-1], np.zeros(count, np.int32).tobytes()
        scales = tuple(self._tensors[self.at].scales[0] * scale for scale in weights.scales)
        return self._new(_Tensor((count,), "INT32", data, scales))

    def _integers(self, values: tuple[int, ...], shape: tuple[int, ...] | None = None) -> int:
        data = np.array(values, np.int32).tobytes()
        return self._new(_Tensor(shape or (len(values),), "INT32", data))

    def _new(self, tensor: _Tensor) -> int:
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    # --- the file -------------------------------------------------------------

    def tflite(self) -> bytes:
        """The file: from the first tensor to the one at hand."""
        builder = flatbuffers.Builder(1 << 16)
        kinds = sorted({op.kind for op in self._ops})
        buffers = [table(builder, "Buffer")]
        tensors = []
        for number, tensor in enumerate(self._tensors):
            if tensor.data:
                buffers.append(table(builder, "Buffer", data=tensor.data))
            where = len(buffers) - 1 if tensor.data else 0
            tensors.append(_tensor(builder, number, tensor, where))
        graph = table(
            builder, "SubGraph", tensors=tensors, inputs=[0], outputs=[self.at],
            operators=[_operator(builder, op, kinds.index(op.kind)) for op in self._ops],
            name="main",
        )  # fmt: skip
        model = table(
            builder, "Model", version=3, operator_codes=[_code(builder, kind) for kind in kinds],
            subgraphs=[graph], description="pytest-edgebudget", buffers=buffers,
        )  # fmt: skip
        builder.Finish(model, file_identifier=b"TFL3")
        return bytes(builder.Output())


_SAME = ("RESHAPE", "MAX_POOL_2D", "AVERAGE_POOL_2D", "PAD", "CONCATENATION", "RESIZE_BILINEAR")
"""Ops whose output has the scale of their input."""


def _window(stride: int, same: bool, **more: Any) -> dict[str, Any]:
    padding = "SAME" if same else "VALID"
    return {"padding": padding, "stride_w": stride, "stride_h": stride, **more}


def _moved(
    shape: tuple[int, ...], kernel: tuple[int, int], stride: int, same: bool
) -> tuple[int, int]:
    sizes = zip(shape[1:3], kernel, strict=True)
    left, right = (-(-(size - (0 if same else k - 1)) // stride) for size, k in sizes)
    return left, right


def _tensor(builder: flatbuffers.Builder, number: int, tensor: _Tensor, buffer: int) -> int:
    values: dict[str, Any] = {}
    if tensor.scales:
        axis = 3 if len(tensor.scales) > 1 and tensor.shape[0] == 1 else 0
        values["quantization"] = table(
            builder, "QuantizationParameters", scale=list(tensor.scales),
            zero_point=[tensor.zero_point] * len(tensor.scales), quantized_dimension=axis,
        )  # fmt: skip
    return table(
        builder, "Tensor", shape=list(tensor.shape), type=_TYPES.index(tensor.dtype), buffer=buffer,
        name=f"t{number}", has_rank=True, **values,
    )  # fmt: skip


def _operator(builder: flatbuffers.Builder, op: _Op, code: int) -> int:
    values: dict[str, Any] = {}
    if op.options != "NONE":
        values["builtin_options_type"] = OPTIONS.index(op.options)
        values["builtin_options"] = table(builder, op.options, **op.values)
    return table(
        builder, "Operator", opcode_index=code, inputs=list(op.inputs), outputs=[op.output],
        **values,
    )  # fmt: skip


def _code(builder: flatbuffers.Builder, kind: str) -> int:
    number = OPERATORS.index(kind)
    version = _VERSIONS.get(kind, _SMALLEST.get(kind, _OTHERS))
    return table(
        builder, "OperatorCode", builtin_code=number, deprecated_builtin_code=min(number, 127),
        version=version,
    )  # fmt: skip
