"""
Tensors of an `.onnx`: TensorProto and ValueInfoProto.

Source of all field numbers: onnx/onnx.proto of ONNX 1.23.
"""

from __future__ import annotations

from pytest_edgebudget.graph.damage import DamageError, short
from pytest_edgebudget.graph.dtypes import BITS, MAX_RANK, byte_size, holdable
from pytest_edgebudget.graph.external import ExternalFiles
from pytest_edgebudget.graph.ir import Tensor
from pytest_edgebudget.graph.protobuf import Message

DTYPES = (
    "", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool",
    "float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16",
    "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "uint4", "int4",
    "float4_e2m1", "float8_e8m0", "uint2", "int2", "float6_e2m3", "float6_e3m2",
)  # fmt: skip
"""TensorProto.DataType, by number."""

# TensorProto
_DIMS, _TYPE, _FLOATS, _INT32S, _STRINGS, _INT64S = 1, 2, 4, 5, 6, 7
_NAME, _RAW, _DOUBLES, _UINT64S, _EXTERNAL, _LOCATION = 8, 9, 10, 11, 13, 14
_TYPED = (_FLOATS, _INT32S, _STRINGS, _INT64S, _DOUBLES, _UINT64S)
# SparseTensorProto
_SPARSE_VALUES, _SPARSE_INDICES, _SPARSE_DIMS = 1, 2, 3


def dtype_name(number: int, position: int = -1) -> str:
    """The type of a number of TensorProto.DataType."""
    if not 0 <= number < len(DTYPES):
        raise DamageError(f"tensor type {number} is not known", position)
    return DTYPES[number]


def read_tensor(message: Message, files: ExternalFiles, name: str = "") -> Tensor:
    """A TensorProto. Raises DamageError when its data does not fit its shape."""
    dtype = dtype_name(message.integer(_TYPE), message.start)
    shape = _shape(message, _DIMS)
    away = message.integer(_LOCATION) == 1
    data = _external(message, files) if away else _data(message, dtype)
    name = name or message.text(_NAME)
    needed = byte_size(dtype, shape)
    if needed is not None and len(data) != needed:
        raise DamageError(
            f"tensor {short(name)} of shape {shape} has {len(data):,} bytes", message.start
        )
    whole = away or _RAW in message.fields
    return Tensor(name, dtype, shape, data, stored=len(data) if whole else _typed(message))


def read_sparse_tensor(message: Message, files: ExternalFiles) -> Tensor:
    """A SparseTensorProto: the values that are stored, under the dense shape."""
    values, indices = message.message(_SPARSE_VALUES), message.message(_SPARSE_INDICES)
    if values is None or indices is None:
        raise DamageError("a sparse tensor without values or indices", message.start)
    tensor = read_tensor(values, files)
    shape = _shape(message, _SPARSE_DIMS)
    stored = tensor.stored_bytes + read_tensor(indices, files).stored_bytes
    return Tensor(tensor.name, tensor.dtype, shape, tensor.data, sparse=True, stored=stored)


Type = tuple[str, tuple[int, ...] | None]
"""What a TypeProto says: element type and shape."""


def read_value_info(message: Message, known: dict[bytes, Type]) -> Tensor:
    """
    Name, type and shape of a ValueInfoProto; sequences and maps have no shape.

    *known*: the types that the file had so far (see `Message.each`).
    """
    dtype, shape = next(iter(message.each(2, _type, known)), ("", None))
    return Tensor(message.text(1), dtype, shape)


def _type(message: Message) -> Type:
    tensor = message.message(1) or message.message(8)
    if tensor is None:
        return "", None
    dtype = dtype_name(tensor.integer(1), tensor.start)
    shape = tensor.message(2)
    dims = tuple(_dimension(dim) for dim in shape.messages(1)) if shape else None
    if dims is not None:
        _check(dims, message)
    return dtype, dims


def _shape(message: Message, field: int) -> tuple[int, ...]:
    shape = tuple(message.integers(field))
    if min(shape, default=0) < 0:
        raise DamageError(f"shape {str(shape)[:60]}", message.start)
    _check(shape, message)
    return shape


def _check(shape: tuple[int, ...], message: Message) -> None:
    """Refuse what no runtime can hold, so that no formula meets it."""
    if len(shape) > MAX_RANK or not holdable(shape):
        raise DamageError(f"a tensor of shape {str(shape)[:60]}", message.start)


def _dimension(message: Message) -> int:
    """The size of a dimension; -1 when it has a name or nothing instead."""
    size = message.integer(1, -1)
    return max(size, -1)


def _data(message: Message, dtype: str) -> memoryview:
    if _RAW in message.fields:
        return message.view(_RAW)
    if dtype == "string":
        return message.joined(_STRINGS)
    if dtype in ("float32", "complex64"):
        return message.packed(_FLOATS, 4)
    if dtype in ("float64", "complex128"):
        return message.packed(_DOUBLES, 8)
    if dtype == "int64":
        return message.typed(_INT64S, 64)
    if dtype in ("uint32", "uint64"):
        return message.typed(_UINT64S, BITS[dtype])
    # Types below 8 bits are packed before they are written, a byte an entry.
    return message.typed(_INT32S, max(8, BITS.get(dtype, 8)))


def _external(message: Message, files: ExternalFiles) -> memoryview:
    entries = {entry.text(1): entry.text(2) for entry in message.messages(_EXTERNAL)}
    offset, length = (_number(entries.get(key), message) for key in ("offset", "length"))
    return files.view(entries.get("location", ""), offset or 0, length)


def _number(text: str | None, message: Message) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise DamageError(f"external data at {text[:40]!r}", message.start)
    return int(text)


def _typed(message: Message) -> int:
    """Bytes of the typed field that holds the data, whichever it is."""
    values = (value for field in _TYPED for value in message.fields.get(field, ()))
    return sum(end - start for _, start, end in values)
