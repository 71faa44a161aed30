"""Tensors, constants and quantization of a `.tflite`."""

from __future__ import annotations

from pytest_edgebudget.graph.damage import DamageError, short
from pytest_edgebudget.graph.dtypes import MAX_RANK, byte_size, holdable
from pytest_edgebudget.graph.external import ExternalFiles
from pytest_edgebudget.graph.flatbuffer import Table
from pytest_edgebudget.graph.ir import Quantization, Tensor
from pytest_edgebudget.graph.tflite_options import slots
from pytest_edgebudget.graph.tflite_schema import ENUMS
from pytest_edgebudget.graph.tflite_sparsity import read_sparsity

_MODEL = slots("Model")
_TENSOR = slots("Tensor")
_BUFFER = slots("Buffer")
_EXTERNAL = slots("ExternalBuffer")
_GROUP = slots("ExternalBufferGroup")
_QUANTIZATION = slots("QuantizationParameters")
_BLOCKWISE = slots("BlockwiseQuantization")

_TYPES = tuple(ENUMS["TensorType"].lower().split())
_BLOCKWISE_DETAILS = 2


class Constants:
    """
    The constants of a model, each a view of the file that holds it.

    One buffer is one view, however many tensors use it: consumers tell shared
    constants by the identity of the view.
    """

    def __init__(self, model: Table, files: ExternalFiles) -> None:
        self._buffers = tuple(model.tables(_MODEL["buffers"]))
        self._groups = tuple(model.tables(_MODEL["external_buffer_groups"]))
        external = model.tables(_MODEL["external_buffers"])
        self._external = {table.integer(_EXTERNAL["id"], "I"): table for table in external}
        self._files = files
        self._views: dict[int, memoryview] = {}
        self._outer: dict[int, memoryview] = {}

    def view(self, tensor: Table) -> memoryview | None:
        """The constant of *tensor*; None when it has none."""
        number = tensor.integer(_TENSOR["buffer"], "I")
        external = tensor.integer(_TENSOR["external_buffer"], "I")
        if external:
            if external not in self._outer:
                self._outer[external] = self._outside(external)
            return self._outer[external] or None
        return self.buffer(number, tensor) or None if number else None

    def buffer(self, number: int, user: Table) -> memoryview:
        """A buffer of the file, which from now on is used."""
        if number not in self._views:
            if not 0 <= number < len(self._buffers):
                raise DamageError(f"buffer {number} is used, and is not there", user.position)
            self._views[number] = self._inside(number)
        return self._views[number]

    @property
    def buffers(self) -> int:
        """How many buffers the file has."""
        return len(self._buffers)

    def unused_bytes(self) -> int:
        """Bytes of the buffers that were not asked for."""
        unused = (number for number in range(len(self._buffers)) if number not in self._views)
        return sum(len(self._inside(number)) for number in unused)

    def _inside(self, number: int) -> memoryview:
        table = self._buffers[number]
        start, size = (table.integer(_BUFFER[name], "Q") for name in ("offset", "size"))
        if start <= 1:  # 0: absent; 1: written by a converter as a placeholder
            return table.view(_BUFFER["data"])
        if start + size > table.buffer.size:
            raise DamageError(f"buffer {number} leaves the file", table.position)
        table.buffer.end = max(table.buffer.end, start + size)
        return table.buffer.view[start : start + size]

    def _outside(self, number: int) -> memoryview:
        table = self._external.get(number)
        group = table.integer(_EXTERNAL["group"], "I") if table else 0
        if table is None or group >= len(self._groups):
            raise DamageError(f"external buffer {number} is not described")
        return self._files.view(
            self._groups[group].text(_GROUP["name"]),
            table.integer(_EXTERNAL["offset"], "Q"),
            table.integer(_EXTERNAL["length"], "Q"),
        )


def read_tensor(table: Table, constants: Constants) -> Tensor:
    """One tensor. Raises DamageError when its constant does not fit its shape."""
    number = table.integer(_TENSOR["type"], "b")
    if not 0 <= number < len(_TYPES):
        raise DamageError(f"tensor type {number} is not known", table.position)
    name, dtype = table.text(_TENSOR["name"]), _TYPES[number]
    data = constants.view(table)
    sparsity = read_sparsity(table.table(_TENSOR["sparsity"]))
    sparse = sparsity is not None
    shape, default = _shapes(table)
    if data is not None and not sparse:
        needed = byte_size(dtype, shape) if min(shape, default=0) >= 0 else None
        if needed is not None and needed > len(data):
            raise DamageError(
                f"tensor {short(name)} of shape {shape} has only {len(data):,} bytes",
                table.position,
            )
    return Tensor(
        name=name,
        dtype=dtype,
        shape=shape,
        data=data,
        quantization=_quantization(table),
        variable=bool(table.integer(_TENSOR["is_variable"], "?")),
        sparse=sparse,
        sparsity=sparsity,
        default_shape=default if default != shape else None,
    )


def _shapes(table: Table) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shape with its dynamic dimensions, and the one that a runtime starts with."""
    shape = table.numbers(_TENSOR["shape"], "i")
    signature = table.numbers(_TENSOR["shape_signature"], "i")
    # The signature says which dimensions are dynamic; the shape has a 1 there.
    known = signature if len(signature) == len(shape) else shape
    if min(known, default=0) < -1 or len(known) > MAX_RANK:
        raise DamageError(f"shape {str(known)[:60]}", table.position)
    if not holdable(known):  # no runtime can hold it, so that no formula meets it
        raise DamageError(f"a tensor of shape {str(known)[:60]}", table.position)
    return known, shape


def _quantization(tensor: Table) -> Quantization | None:
    table = tensor.table(_TENSOR["quantization"])
    if table is None:
        return None
    scales = table.numbers(_QUANTIZATION["scale"], "f")
    block = _block_size(table)
    if not scales and block is None:
        return None
    zero_points = table.numbers(_QUANTIZATION["zero_point"], "q") or (0,) * len(scales)
    dimension = table.integer(_QUANTIZATION["quantized_dimension"], "i")
    per_channel = len(scales) > 1 or block is not None
    axis = dimension if per_channel else None
    return Quantization(scales, zero_points, axis, block, dimension)


def _block_size(table: Table) -> int | None:
    if table.integer(_QUANTIZATION["details_type"], "B") != _BLOCKWISE_DETAILS:
        return None
    details = table.table(_QUANTIZATION["details"])
    return details.integer(_BLOCKWISE["block_size"], "i") if details else None
