"""
A subgraph that nothing runs.

What it finds
    A subgraph of a .tflite that is not the main one, is no signature's, and is called by
    no op that can run.

Why it hurts
    Its ops, tensors and constants stay in the file: flash and download. Some runtimes
    prepare all subgraphs, used or not: TensorFlow Lite Micro keeps structures for every
    tensor of every subgraph in the arena.

Example
    A model that was cut into an encoder and a decoder by changing the main subgraph; the
    branch of an IF whose condition was folded away.

Instead
    Export only the signatures that the device runs.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Graph, Subgraph, Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.structure._ops import plural, size


def check(model: ModelFile) -> Iterator[Finding]:
    """Follow the calls from the main subgraph and from each signature."""
    graph = model.graph
    reached = _reached(graph)
    unused = [n for n in range(len(graph.subgraphs)) if n not in reached]
    shared = {id(view) for n in reached for view in _constants(graph.subgraphs[n])}
    for number in unused:
        subgraph = graph.subgraphs[number]
        own = {id(view): len(view) for view in _constants(subgraph) if id(view) not in shared}
        cost = f" and {size(sum(own.values()))} of constants" if own else ""
        message = f"subgraph {number} is run by nothing: {plural(len(subgraph.ops), 'op')}{cost}"
        yield Finding(message, subgraph.name, saves=sum(own.values()))


def _reached(graph: Graph) -> set[int]:
    reached = {0, *(signature.subgraph for signature in graph.signatures)}
    left = list(reached)
    while left:
        ops = graph.subgraphs[left.pop()].ops
        new = {number for op in ops for number in op.subgraphs} - reached
        reached |= new
        left += new
    return reached


def _constants(subgraph: Subgraph) -> Iterator[memoryview]:
    tensors: tuple[Tensor, ...] = subgraph.tensors
    return (tensor.data for tensor in tensors if tensor.data is not None)


RULE = Rule(
    code="EB208",
    name="unused-subgraph",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=check,
    formats=frozenset({"tflite"}),
)
