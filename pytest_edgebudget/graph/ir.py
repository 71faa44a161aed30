"""
One immutable graph for `.tflite` and `.onnx`: ops, tensors, constants.

Read without a framework and without numpy; constants are views of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Quantization:
    """
    Affine quantization: real = scale * (q - zero_point).

    *axis* when per channel. *block_size* when each block of that many elements
    along *axis* has a scale of its own; the scales are then in another tensor.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int | None = None
    block_size: int | None = None


@dataclass(frozen=True, slots=True)
class Tensor:
    """
    A value of the graph.

    Attributes:
        name: unique in .onnx; usually unique in .tflite.
        dtype: "float32", "int8", "int4" ...; lower case, numpy's names; "" when
            the file does not say and it cannot be inferred.
        shape: -1 where a dimension is dynamic; None when unknown.
        data: the bytes of a constant, as a view of the file; None otherwise.
            (.onnx constants in typed fields are packed to little endian.)
        stored: bytes that *data* takes in the file, when not its length.
        quantization: None when the tensor is not quantized.
        variable: state that lives between invocations.
        sparse: *data* holds the non-zero elements only.
    """

    name: str
    dtype: str
    shape: tuple[int, ...] | None
    data: memoryview | None = field(default=None, repr=False)
    quantization: Quantization | None = None
    variable: bool = False
    sparse: bool = False
    stored: int | None = None

    @property
    def constant(self) -> bool:
        """Whether the value is stored in the file."""
        return self.data is not None

    @property
    def stored_bytes(self) -> int:
        """Bytes that the constant takes in the file; 0 when not a constant."""
        if self.stored is not None:
            return self.stored
        return 0 if self.data is None else len(self.data)

    @property
    def elements(self) -> int | None:
        """Number of elements; None when a dimension is not known."""
        if self.shape is None or any(n < 0 for n in self.shape):
            return None
        count = 1
        for n in self.shape:
            count *= n
        return count


@dataclass(frozen=True, slots=True)
class Op:
    """
    An operation.

    Attributes:
        kind: the format's own name: "CONV_2D", "Conv".
        name: for people: the op's name, else its first output's.
        inputs, outputs: indices into the subgraph's tensors; -1: left out.
        attributes: the format's own names and plain values.
        version: the op's version (.tflite) or opset version (.onnx).
        custom: not one of the format's own ops. *kind* is then the custom code
            (.tflite) or ``domain:type`` (.onnx).
    """

    kind: str
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attributes: Mapping[str, object] = field(default_factory=dict)
    version: int = 1
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Subgraph:
    """Ops in the order of execution, over tensors of their own."""

    name: str
    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """
    A model.

    *subgraphs[0]* is the main one. *signature* maps a signature's input and
    output names to tensor indices of the main subgraph (None: no signature).
    *size* counts the bytes of the file, *external_size* those of the *external*
    data files beside it, whose names are relative to the model's folder.
    """

    format: str
    subgraphs: tuple[Subgraph, ...]
    size: int
    signature: tuple[Mapping[str, int], Mapping[str, int]] | None = None
    external: tuple[str, ...] = ()
    external_size: int = 0
    opset: int | None = None

    @property
    def main(self) -> Subgraph:
        """The subgraph that an inference runs."""
        return self.subgraphs[0]

    @property
    def ops(self) -> tuple[Op, ...]:
        """Ops of the main subgraph."""
        return self.main.ops

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Tensors of the main subgraph."""
        return self.main.tensors
