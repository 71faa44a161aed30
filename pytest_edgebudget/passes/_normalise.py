"""
A `.tflite` in the form that litert-quantizer understands.

It reads the 32-bit op code only and passes over ops of older files without a
word, it finds inputs by a signature, and it keeps what it learnt under the
tensors' names: so every op gets both codes, the model a signature, and every
tensor a name of its own. The computation is untouched.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_edgebudget.passes._libraries import load

LARGEST_OLD_CODE = 127
SIGNATURE = b"serving_default"


def normalised(path: Path, purpose: str) -> Any:
    """Read *path* into a ``ModelT``, normalised."""
    tools = load("ai_edge_litert.tools.flatbuffer_utils", purpose)
    model = tools.read_model(str(path))
    for code in model.operatorCodes:
        code.builtinCode = max(code.builtinCode, code.deprecatedBuiltinCode)
        code.deprecatedBuiltinCode = min(code.builtinCode, LARGEST_OLD_CODE)
    for graph in model.subgraphs:
        _name_tensors(graph)
    if not model.signatureDefs:
        model.signatureDefs = [_signature(model.subgraphs[0])]
    return model


def packed(model: Any) -> bytes:
    """The bytes of a ``ModelT``."""
    from ai_edge_litert.tools import flatbuffer_utils

    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _name_tensors(graph: Any) -> None:
    taken: set[bytes] = set()
    for index, tensor in enumerate(graph.tensors):
        name = tensor.name or b"tensor"
        if name in taken:
            name = b"%s;%d" % (name, index)
        taken.add(name)
        tensor.name = name


def _signature(graph: Any) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    signature = schema.SignatureDefT()
    signature.signatureKey = SIGNATURE
    signature.subgraphIndex = 0
    signature.inputs = _maps(schema, graph, graph.inputs)
    signature.outputs = _maps(schema, graph, graph.outputs)
    return signature


def _maps(schema: Any, graph: Any, indices: Sequence[int]) -> list[Any]:
    maps = []
    for index in indices:
        entry = schema.TensorMapT()
        entry.name = graph.tensors[index].name
        entry.tensorIndex = int(index)
        maps.append(entry)
    return maps
