"""
The same thing is computed twice.

What it finds
    Ops of a .tflite of one kind with the same inputs and options. Not in .onnx:
    onnxruntime computes such ops once.

Why it hurts
    The runtimes of TensorFlow Lite run both in each inference, and both results take
    memory at the same time (the bytes are named in the message).

Example
    A preprocessing layer that is called in each of two branches; one SHAPE for each
    reshape of an exported model with an open batch.

Instead
    Call the layer once in the source model and use its result twice.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

from pytest_edgebudget.graph.ir import Op, Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.structure._ops import VIEWS, by_cost, bytes_once, result, shown, size

_VARYING = frozenset({
    "ASSIGN_VARIABLE", "CALL_ONCE", "HASHTABLE", "MULTINOMIAL", "RANDOM_STANDARD_NORMAL",
    "RANDOM_UNIFORM", "READ_VARIABLE", "STABLEHLO_RNG_BIT_GENERATOR", "VAR_HANDLE",
})  # fmt: skip


def check(model: ModelFile) -> Iterator[Finding]:
    """Compare ops with the same inputs; a repetition of a repetition counts, too."""
    for links in model.links:
        tensors = links.subgraph.tensors
        same: dict[int, int] = {}  # a repeated result, and the first one
        known: dict[Hashable, Op] = {}
        for op in links.subgraph.ops:
            first = known.setdefault((op.kind, _inputs(op, tensors, same)), op)
            if first is not op and _plain(op, tensors) and _equal(op, first, tensors):
                same.update(zip(op.outputs, first.outputs, strict=False))
                # A view may share its input's memory: a second one costs little.
                made = 0 if op.kind in VIEWS else bytes_once(tensors[result(op)])
                cost = f": {size(made)} are computed and kept twice" if made else ""
                message = f"{op.kind} repeats '{shown(first)}'{cost}"
                yield Finding(message, shown(op), severity=by_cost(made))


def _inputs(op: Op, tensors: Sequence[Tensor], same: Mapping[int, int]) -> Hashable:
    """What the op computes with: constants by their buffer, results by who first made them."""
    return tuple(
        id(tensors[index].data)
        if index >= 0 and tensors[index].constant
        else same.get(index, index)
        for index in op.inputs
    )


def _plain(op: Op, tensors: Sequence[Tensor]) -> bool:
    """Whether equal inputs give equal results, and the op has inputs and a result."""
    if op.custom or op.subgraphs or op.kind in _VARYING or result(op) < 0 or not op.inputs:
        return False
    return not any(index >= 0 and tensors[index].variable for index in op.inputs)


def _equal(one: Op, other: Op, tensors: Sequence[Tensor]) -> bool:
    """Whether options, and types, shapes and scales of all inputs and results are equal."""
    if one.attributes != other.attributes or len(one.outputs) != len(other.outputs):
        return False
    pairs = zip((*one.inputs, *one.outputs), (*other.inputs, *other.outputs), strict=False)
    return all(_alike(tensors[a], tensors[b]) for a, b in pairs if a >= 0 and b >= 0)


def _alike(one: Tensor, other: Tensor) -> bool:
    return (
        one.dtype == other.dtype
        and one.shape == other.shape
        and one.quantization == other.quantization
    )


RULE = Rule(
    code="EB216",
    name="repeated-ops",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=check,
    formats=frozenset({"tflite"}),
)
