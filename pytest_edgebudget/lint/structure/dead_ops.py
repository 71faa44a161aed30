"""
Ops whose results nobody uses.

What it finds
    Ops that no output of the model depends on. Ops that change a state, custom ops and
    ops that run subgraphs are taken for needed.

Why it hurts
    No runtime looks for them: LiteRT and TensorFlow Lite Micro run every op of the file
    in each inference, and onnxruntime 1.32 keeps them when it optimizes. The message
    has their multiply-accumulates and the bytes of their weights.

Example
    The second head of a model of which only the first is used: the output was dropped,
    its layers were not.

Instead
    Cut the source model at the outputs that are used, and export again. For .onnx:
    `onnx.utils.extract_model`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_edgebudget.graph.cost import LayerCost
from pytest_edgebudget.graph.ir import Op
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.links import Links
from pytest_edgebudget.lint.structure._ops import number, plural, shown, size

_FREE = frozenset({"Constant", "VAR_HANDLE"})
"""Ops without work: they only name something."""


def check(model: ModelFile) -> Iterator[Finding]:
    """Walk back from what is needed; what is not reached is dead."""
    start = 0
    for links in model.links:
        ops = links.subgraph.ops
        dead = sorted(set(range(len(ops))) - _live(links))
        dead = [n for n in dead if ops[n].kind not in _FREE]
        if dead:
            costs = model.costs[start : start + len(ops)]
            yield _finding([ops[n] for n in dead], [costs[n] for n in dead], links)
        start += len(ops)


def _live(links: Links) -> set[int]:
    """The ops that an output or a lasting effect depends on."""
    ops = links.subgraph.ops
    variables = {n for n, tensor in enumerate(links.subgraph.tensors) if tensor.variable}
    live = {
        index
        for index, op in enumerate(ops)
        if op.custom
        or op.subgraphs
        or not op.outputs
        or not variables.isdisjoint(op.inputs)
        or not links.kept.isdisjoint(op.outputs)
    }
    left = list(live)
    while left:
        needed = (links.producers.get(tensor) for tensor in ops[left.pop()].inputs)
        new = {index for index in needed if index is not None} - live
        live |= new
        left += new
    return live


def _finding(dead: Sequence[Op], costs: Sequence[LayerCost], links: Links) -> Finding:
    """Where: the last op of what is dead, which nothing at all uses."""
    last = next((op for op in dead if not any(map(links.used, op.outputs))), dead[-1])
    macs, weights = sum(c.macs or 0 for c in costs), sum(c.weight_bytes for c in costs)
    cost = f", {number(macs)} MACs an inference" if macs else ""
    cost += f", {size(weights)} of weights" if weights else ""
    message = f"{plural(len(dead), 'op')} for a result that nobody uses{cost}"
    return Finding(message, shown(last), saves=weights)


RULE = Rule(
    code="EB206",
    name="dead-ops",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=check,
)
