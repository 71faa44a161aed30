"""`.tflite` to Graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytest_edgebudget.graph.calls import called, check_calls
from pytest_edgebudget.graph.damage import DamageError
from pytest_edgebudget.graph.external import ExternalFiles
from pytest_edgebudget.graph.flatbuffer import Buffer, Table
from pytest_edgebudget.graph.ir import Graph, Op, Subgraph
from pytest_edgebudget.graph.mapped import Data
from pytest_edgebudget.graph.order import check_order
from pytest_edgebudget.graph.tflite_notes import first_of_main, read_metadata, read_signatures
from pytest_edgebudget.graph.tflite_options import read_options, slots
from pytest_edgebudget.graph.tflite_schema import OPERATORS, OPTIONS, OPTIONS_2
from pytest_edgebudget.graph.tflite_tensors import Constants, read_tensor

_MODEL = slots("Model")
_SUBGRAPH = slots("SubGraph")
_OPERATOR = slots("Operator")
_CODE = slots("OperatorCode")

SCHEMA_VERSION = 3


def is_tflite(data: Data) -> bool:
    """Whether *data* carries the file identifier of TensorFlow Lite."""
    return data[4:8] == b"TFL3"


def read_tflite(data: Data, folder: Path) -> Graph:
    """
    Read a `.tflite` from memory; *folder* is where its external weights lie.

    Raises:
        DamageError: the file is truncated or contradicts itself.
    """
    model = Buffer(data).root()
    version = model.integer(_MODEL["version"], "I")
    if version != SCHEMA_VERSION:
        raise DamageError(f"schema version {version}, where only {SCHEMA_VERSION} is known")
    files = ExternalFiles(folder)
    constants = Constants(model, files)
    codes = tuple(_code(code) for code in model.tables(_MODEL["operator_codes"]))
    subgraphs = tuple(
        _subgraph(table, constants, codes) for table in model.tables(_MODEL["subgraphs"])
    )
    if not subgraphs:
        raise DamageError("a model without a subgraph")
    check_calls(subgraphs)
    signatures = read_signatures(model, subgraphs)
    metadata = read_metadata(model, constants)
    description, unused = model.text(_MODEL["description"]), constants.unused_bytes()
    return Graph(
        format="tflite",
        subgraphs=subgraphs,
        size=len(data),
        signature=first_of_main(signatures),
        external=files.names,
        external_size=files.size,
        signatures=signatures,
        description=description,
        metadata=metadata,
        buffers=constants.buffers,
        unused_bytes=unused,
        appended_bytes=len(data) - model.buffer.end,  # the last, when all has been read
    )


def _code(table: Table) -> tuple[str, int, bool]:
    """Kind, version, custom."""
    # Files older than schema 3a have the op in the 8-bit field only, newer ones
    # in both; TensorFlow takes the larger (schema_utils.cc, GetBuiltinCode).
    old = table.integer(_CODE["deprecated_builtin_code"], "b")
    number = max(old, table.integer(_CODE["builtin_code"], "i"))
    version = table.integer(_CODE["version"], "i", 1)
    if number < 0:
        raise DamageError(f"operator number {number}", table.position)
    if number >= len(OPERATORS):
        return f"BUILTIN_{number}", version, False
    if OPERATORS[number] == "CUSTOM":
        return table.text(_CODE["custom_code"]) or "CUSTOM", version, True
    return OPERATORS[number], version, False


def _subgraph(
    table: Table, constants: Constants, codes: Sequence[tuple[str, int, bool]]
) -> Subgraph:
    tensors = tuple(read_tensor(item, constants) for item in table.tables(_SUBGRAPH["tensors"]))
    names = tuple(tensor.name for tensor in tensors)
    ops = tuple(_op(item, names, codes) for item in table.tables(_SUBGRAPH["operators"]))
    inputs = _indices(table, _SUBGRAPH["inputs"], len(tensors))
    check_order(ops, tensors, inputs)
    return Subgraph(
        name=table.text(_SUBGRAPH["name"]),
        tensors=tensors,
        ops=ops,
        inputs=inputs,
        outputs=_indices(table, _SUBGRAPH["outputs"], len(tensors)),
    )


def _op(table: Table, names: Sequence[str], codes: Sequence[tuple[str, int, bool]]) -> Op:
    code = table.integer(_OPERATOR["opcode_index"], "I")
    if code >= len(codes):
        raise DamageError(f"an op uses operator code {code} of {len(codes)}", table.position)
    kind, version, custom = codes[code]
    outputs = _indices(table, _OPERATOR["outputs"], len(names), optional=True)
    attributes = _custom_options(table) if custom else _options(table)
    return Op(
        kind=kind,
        name=names[outputs[0]] if outputs and outputs[0] >= 0 else "",
        inputs=_indices(table, _OPERATOR["inputs"], len(names), optional=True),
        outputs=outputs,
        attributes=attributes,
        version=version,
        custom=custom,
        subgraphs=() if custom else called(kind, attributes),
        intermediates=_indices(table, _OPERATOR["intermediates"], len(names), optional=True),
    )


def _options(table: Table) -> dict[str, object]:
    for field, names in (("builtin_options", OPTIONS), ("builtin_options2", OPTIONS_2)):
        number = table.integer(_OPERATOR[f"{field}_type"], "B")
        options = table.table(_OPERATOR[field]) if 0 < number < len(names) else None
        if options is not None:
            return read_options(names[number], options)
    return {}


def _custom_options(table: Table) -> dict[str, object]:
    """The custom op's own bytes, wherever they are stored: a view, since they may be a model."""
    start = table.integer(_OPERATOR["large_custom_options_offset"], "Q")
    size = table.integer(_OPERATOR["large_custom_options_size"], "Q")
    view = table.view(_OPERATOR["custom_options"])
    if start > 1:
        if start + size > table.buffer.size:
            raise DamageError("the options of a custom op leave the file", table.position)
        table.buffer.end = max(table.buffer.end, start + size)
        view = table.buffer.view[start : start + size]
    return {"custom_options": view} if view else {}


def _indices(table: Table, slot: int, count: int, *, optional: bool = False) -> tuple[int, ...]:
    """Tensor indices, each checked; -1 is an input that is left out."""
    indices = table.numbers(slot, "i")
    if any(not (0 <= i < count) and not (optional and i == -1) for i in indices):
        raise DamageError("a tensor that does not exist is used", table.position)
    return indices
