"""In which precision a model computes: what published rows are told apart by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.constants import origins
from pytest_edgebudget.graph.cost import layer_costs
from pytest_edgebudget.graph.ir import Subgraph

HYBRID = "hybrid"
"""Weights of 8 bits, floats between the operators: as fast as neither."""

_FLOATS = {"float32": "fp32", "float16": "fp16"}


def precision_of(graph: Graph) -> str:
    """
    "int8", "fp16", "fp32" or HYBRID: that of most multiply-accumulates.

    The dtype itself, such as "int16", where nothing else is meant by it. In .onnx,
    what comes out of a DequantizeLinear was computed with integers.
    """
    weighed: Counter[str] = Counter()
    constant = {i for i, tensor in enumerate(graph.main.tensors) if tensor.constant}
    constant.update(origins(graph.main))
    whole = {op.outputs[0]: op.inputs[0] for op in graph.main.ops if op.kind == "DequantizeLinear"}
    for op, cost in zip(graph.main.ops, layer_costs(graph), strict=False):
        integer = tuple(whole.get(i, i) for i in op.inputs)
        inputs = tuple(i if i in constant else j for i, j in zip(op.inputs, integer, strict=True))
        weighed[_precision(inputs, graph.main, constant)] += 1 + (cost.macs or 0) * 1_000_000
    return max(weighed, key=lambda name: weighed[name], default="fp32")


def _precision(indices: tuple[int, ...], subgraph: Subgraph, constant: set[int]) -> str:
    inputs = list(_dtypes(indices, subgraph, constant, fixed=False))
    weights = list(_dtypes(indices, subgraph, constant, fixed=True))
    moved = inputs[0] if inputs else "float32"
    if moved in _FLOATS:
        return HYBRID if weights[:1] in (["int8"], ["uint8"], ["int4"]) else _FLOATS[moved]
    return "int8" if moved in ("int8", "uint8") else moved


def _dtypes(
    indices: tuple[int, ...], subgraph: Subgraph, constant: set[int], *, fixed: bool
) -> Iterator[str]:
    for index in indices:
        if index >= 0 and (index in constant) == fixed:
            yield subgraph.tensors[index].dtype
