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
    *dimension* is what the file says of the axis, even where it means nothing
    (one scale) or is none of the tensor's axes; .onnx: the op's axis.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int | None = None
    block_size: int | None = None
    dimension: int = 0


@dataclass(frozen=True, slots=True)
class Dimension:
    """
    How a sparse tensor stores one (traversed) dimension.

    *format*: "dense" or "sparse_csr". *size* of a dense one; *segments* and
    *indices*: how many numbers a compressed one has of each.
    """

    format: str
    size: int = 0
    segments: int = 0
    indices: int = 0


@dataclass(frozen=True, slots=True)
class Sparsity:
    """
    How the non-zero elements of a .tflite tensor lie (schema.fbs, SparsityParameters).

    *index_bytes*: what the segments and indices of all dimensions take in the file.
    """

    traversal_order: tuple[int, ...]
    block_map: tuple[int, ...]
    dimensions: tuple[Dimension, ...]
    index_bytes: int = 0


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
        sparsity: of a sparse tensor of a .tflite: where those elements are.
        default_shape: .tflite: the sizes that a runtime starts with, which have
            the file's own number (mostly 1) where *shape* is dynamic. None when
            no dimension of *shape* is dynamic: the two are the same.
    """

    name: str
    dtype: str
    shape: tuple[int, ...] | None
    data: memoryview | None = field(default=None, repr=False)
    quantization: Quantization | None = None
    variable: bool = False
    sparse: bool = False
    stored: int | None = None
    sparsity: Sparsity | None = None
    default_shape: tuple[int, ...] | None = None

    @property
    def constant(self) -> bool:
        """Whether the value is stored in the file."""
        return self.data is not None

    def named(self, name: str) -> Tensor:
        """The same tensor under another name."""
        return Tensor(
            name,
            self.dtype,
            self.shape,
            self.data,
            self.quantization,
            self.variable,
            self.sparse,
            self.stored,
            self.sparsity,
            self.default_shape,
        )

    def shaped(
        self,
        shape: tuple[int, ...] | None,
        dtype: str,
        quantization: Quantization | None = None,
    ) -> Tensor:
        """The same tensor with more known of it; three times as fast as dataclasses.replace."""
        return Tensor(
            self.name,
            dtype,
            shape,
            self.data,
            quantization or self.quantization,
            self.variable,
            self.sparse,
            self.stored,
            self.sparsity,
            self.default_shape,
        )

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
        subgraphs: indices of the subgraphs that the op runs (then and else of an
            IF, condition and body of a WHILE, a CALL's ...), see `calls`.
        intermediates: .tflite: tensors with the scales of values inside a fused
            op (an integer LSTM's gates); -1: left out.
    """

    kind: str
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attributes: Mapping[str, object] = field(default_factory=dict)
    version: int = 1
    custom: bool = False
    subgraphs: tuple[int, ...] = ()
    intermediates: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Subgraph:
    """Ops in the order of execution, over tensors of their own."""

    name: str
    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """
    An entry point of a .tflite.

    *key* is its name, *subgraph* the index of what it runs; *inputs* and
    *outputs* map names to that subgraph's tensor indices.
    """

    key: str
    subgraph: int
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Metadata:
    """A named note in the file, as a view of it; what it means is its writer's affair."""

    name: str
    data: memoryview = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of the note."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Graph:
    """
    A model.

    Attributes:
        format: "tflite" or "onnx".
        subgraphs: the first is the main one.
        size: bytes of the file.
        signature: the input and output names of the main subgraph's first
            signature, with tensor indices; None: no signature.
        external, external_size: the data files beside the model that were read
            (names relative to its folder), and the bytes of all of them.
        opset: .onnx: of the standard operators.
        signatures: .tflite: all of them, in the file's order.
        opsets: .onnx: the imported operator sets by domain ("": the standard one).
        ir_version: .onnx: of the format; 0 where it is not said.
        functions: .onnx: the ops that the model itself defines, ``domain:name``.
        producer: .onnx: what wrote the file: name and version.
        description: .tflite: what the writer says; .onnx: the doc string.
        metadata: named notes (.onnx: metadata_props).
        buffers: .tflite: how many there are; the first is empty by agreement.
        unused_bytes: .tflite: of buffers that no tensor and no metadata uses.
        appended_bytes: .tflite: behind the last thing that is read of the model; a
            few are padding, many a file of another kind (labels in a zip archive).
    """

    format: str
    subgraphs: tuple[Subgraph, ...]
    size: int
    signature: tuple[Mapping[str, int], Mapping[str, int]] | None = None
    external: tuple[str, ...] = ()
    external_size: int = 0
    opset: int | None = None
    signatures: tuple[Signature, ...] = ()
    opsets: Mapping[str, int] = field(default_factory=dict)
    ir_version: int = 0
    functions: frozenset[str] = frozenset()
    producer: str = ""
    description: str = ""
    metadata: tuple[Metadata, ...] = ()
    buffers: int = 0
    unused_bytes: int = 0
    appended_bytes: int = 0

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
