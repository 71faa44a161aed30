"""
Two ops make a value of the same name.

What it finds
    Values of an `.onnx` that more than one op makes, or that an op makes though they are
    an input of the same graph.

Why it hurts
    ONNX names each value once, and onnxruntime refuses the file ("Duplicate definition of
    name"). Tools that read by name take one of the two, each its own, so that what they
    show or change may not be what was meant. It comes from joining two graphs, or copying
    a block, without new names.

Example
    Relu and Tanh both make y

Instead
    Give each value a name of its own: ``onnx.compose.add_prefix`` does it for a whole
    graph, before two are merged.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Subgraph
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity


def _check(model: ModelFile) -> Iterator[Finding]:
    for subgraph in model.graph.subgraphs:
        yield from _twice(subgraph)


def _twice(subgraph: Subgraph) -> Iterator[Finding]:
    made = dict.fromkeys(subgraph.inputs, "")
    for op in subgraph.ops:
        if op.kind == "Constant":
            continue  # onnxruntime takes it for a stored constant, of which the last counts
        for index in op.outputs:
            if index < 0:
                continue
            if index in made:
                name = subgraph.tensors[index].name
                both = f"{made[index]} and {op.kind} both make {name}"
                message = both if made[index] else f"{op.kind} makes {name}, which is an input"
                yield Finding(message, where=op.name)
            made[index] = op.kind


RULE = Rule(
    code="EB514",
    name="value-made-twice",
    severity=Severity.ERROR,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"onnx"}),
)
