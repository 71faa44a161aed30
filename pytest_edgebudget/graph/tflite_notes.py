"""What a `.tflite` says beside its graph: signatures and metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_edgebudget.graph.damage import DamageError
from pytest_edgebudget.graph.flatbuffer import Table
from pytest_edgebudget.graph.ir import Metadata, Signature, Subgraph
from pytest_edgebudget.graph.tflite_options import slots
from pytest_edgebudget.graph.tflite_tensors import Constants

_MODEL = slots("Model")
_SIGNATURE = slots("SignatureDef")
_MAP = slots("TensorMap")
_METADATA = slots("Metadata")


def read_signatures(model: Table, subgraphs: Sequence[Subgraph]) -> tuple[Signature, ...]:
    """All signatures. Raises DamageError when one names what is not there."""
    return tuple(_signature(item, subgraphs) for item in model.tables(_MODEL["signature_defs"]))


def first_of_main(
    signatures: Sequence[Signature],
) -> tuple[Mapping[str, int], Mapping[str, int]] | None:
    """Inputs and outputs of the main subgraph's first signature."""
    return next(((item.inputs, item.outputs) for item in signatures if item.subgraph == 0), None)


def read_metadata(model: Table, constants: Constants) -> tuple[Metadata, ...]:
    """The metadata entries; their buffers then count as used."""
    for number in model.numbers(_MODEL["metadata_buffer"], "i"):  # before 2020: without names
        constants.buffer(number, model)
    return tuple(
        Metadata(
            item.text(_METADATA["name"]),
            constants.buffer(item.integer(_METADATA["buffer"], "I"), item),
        )
        for item in model.tables(_MODEL["metadata"])
    )


def _signature(table: Table, subgraphs: Sequence[Subgraph]) -> Signature:
    number = table.integer(_SIGNATURE["subgraph_index"], "I")
    if number >= len(subgraphs):
        raise DamageError(f"a signature of subgraph {number}, which is not there", table.position)
    count = len(subgraphs[number].tensors)
    return Signature(
        key=table.text(_SIGNATURE["signature_key"]),
        subgraph=number,
        inputs=_tensor_map(table, _SIGNATURE["inputs"], count),
        outputs=_tensor_map(table, _SIGNATURE["outputs"], count),
    )


def _tensor_map(table: Table, slot: int, count: int) -> Mapping[str, int]:
    names: dict[str, int] = {}
    for item in table.tables(slot):
        index = item.integer(_MAP["tensor_index"], "I")
        if index >= count:
            raise DamageError("a signature names a tensor that does not exist", item.position)
        names[item.text(_MAP["name"])] = index
    return names
