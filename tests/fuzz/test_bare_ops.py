"""Every op of both formats, stripped of what it needs: nothing may count on it being there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import targets

sys.path.insert(0, str(Path(__file__).parent.parent / "graph"))

from pytest_edgebudget.graph.tflite_schema import OPERATORS

SHAPES = ([], [0], [3], [2, 3], [1, 4, 4, 2], [-1, 4])
BARE = {
    "no inputs, no outputs": ([], []),
    "inputs and outputs that are left out": ([-1, -1, -1], [-1]),
    "one of each": ([0], [1]),
    "the same tensor everywhere": ([0] * 12, [1, 1, 1]),
    "constants everywhere": ([2] * 12, [1]),
}


def tflite(kind: str, inputs: list[int], outputs: list[int], shape: list[int], dtype: str) -> bytes:
    """A model of one op without options."""
    import tflite_models as tfl

    known = [max(n, 1) for n in shape]
    tensors = [
        tfl.tensor("x", known, dtype, shapeSignature=shape),
        tfl.tensor("y", known, dtype, shapeSignature=shape),
        tfl.tensor("c", [2], "INT32", buffer=1),
    ]
    ops = [tfl.op(0, inputs, outputs)]
    main = tfl.subgraph(tensors, ops, [0], [1])
    return tfl.pack(tfl.model([tfl.code(kind)], [main], [tfl.buffer(), tfl.buffer(bytes(8))]))


def onnx(kind: str, inputs: list[int], outputs: list[int], shape: list[int], dtype: int) -> bytes:
    """A model of one node without attributes."""
    import onnx_models as om

    names = ["x", "y", "c", ""]
    domain, _, kind = kind.rpartition(":")
    node = om.helper.make_node(
        kind, [names[i] for i in inputs], [names[i] for i in outputs], domain=domain
    )
    sizes: list[Any] = ["n" if n < 0 else n for n in shape]
    makes = [om.helper.make_empty_tensor_value_info("y")] if 1 in outputs else []
    proto = om.model([node], [om.value("x", *sizes, kind=dtype)], makes, [om.integers("c", 1, 1)])
    return bytes(proto.SerializeToString())


def onnx_kinds() -> Iterator[str]:
    """All ops that the onnx package knows, and those of onnxruntime that we do."""
    import onnx_models as om

    from pytest_edgebudget.graph.macs import ONNX_RULES

    yield from sorted({schema.name for schema in om.onnx.defs.get_all_schemas()})
    yield from (kind for kind in ONNX_RULES if ":" in kind)


@pytest.mark.parametrize("bare", BARE)
def test_bare_tflite_ops_are_looked_at_without_a_failure(bare: str) -> None:
    inputs, outputs = BARE[bare]
    for number, kind in enumerate(OPERATORS):
        shape, dtype = SHAPES[number % len(SHAPES)], ("FLOAT32", "INT8")[number % 2]
        data = tflite(kind, inputs, outputs, shape, dtype)
        targets.use(data, "tflite")
        targets.lint(data, "tflite")


@pytest.mark.parametrize("bare", BARE)
def test_bare_onnx_ops_are_looked_at_without_a_failure(bare: str) -> None:
    inputs, outputs = BARE[bare]
    for number, kind in enumerate(onnx_kinds()):
        shape, dtype = SHAPES[number % len(SHAPES)], (1, 3)[number % 2]  # float32, int8
        data = onnx(kind, inputs, outputs, shape, dtype)
        targets.use(data, "onnx")
        targets.lint(data, "onnx")
