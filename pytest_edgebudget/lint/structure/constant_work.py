"""
Constants are computed at run time.

What it finds
    Ops that depend on constants only. Not what makes large constants of small ones
    (DEQUANTIZE, DENSIFY, FILL, a cast): that is how the file stays small.

Why it hurts
    The runtimes of TensorFlow Lite compute it in each inference, and inputs and result
    take memory. onnxruntime folds constants each time it loads a model: the cost is a
    slower start, and in .onnx the finding is a note, given from ten such ops on.

Example
    A positional encoding, an anchor grid or a resampling matrix that the source model
    computes from `tf.range` or `torch.arange`.

Instead
    Compute it when the model is built and store the result. For .onnx, onnxsim or
    onnxruntime's optimized_model_filepath write the folded model.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Op
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.links import Links
from pytest_edgebudget.lint.structure._ops import (
    by_cost,
    bytes_once,
    output_of,
    plural,
    shown,
    size,
)

_KEPT_SMALL = frozenset({
    "CAST", "DENSIFY", "DEQUANTIZE", "FILL", "ZEROS_LIKE",
    "Cast", "ConstantOfShape", "DequantizeLinear", "com.microsoft:DequantizeLinear",
})  # fmt: skip
"""Ops that make a small constant large, as weights stored in few bits are."""

_VARYING = frozenset({
    "CALL_ONCE", "HASHTABLE", "MULTINOMIAL", "RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM",
    "READ_VARIABLE", "VAR_HANDLE",
    "Bernoulli", "Constant", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
    "RandomUniformLike",
})  # fmt: skip
"""Ops whose result does not follow from their inputs, and the constants themselves."""

_FEW_NODES = 10


def check(model: ModelFile) -> Iterator[Finding]:
    """Follow the constants through each subgraph; one finding, where most is made."""
    onnx = model.graph.format == "onnx"
    found = [(links, _constant_ops(links)) for links in model.links]
    count = sum(len(ops) for _, ops in found)
    if not count or (onnx and count < _FEW_NODES):
        return
    ends = [end for links, ops in found for end in _ends(ops, links)]
    made = sum(size_ for size_, _ in ends)
    when = "at each start" if onnx else "in each inference"
    what = f": {size(made)} that could be stored" if made else ""
    message = f"{plural(count, 'op')} with constants only, computed {when}{what}"
    where = shown(max(ends, key=lambda end: end[0])[1]) if ends else ""
    yield Finding(message, where, severity=Severity.NOTE if onnx else by_cost(made))


def _constant_ops(links: Links) -> list[Op]:
    sub = links.subgraph
    known = {index for index, tensor in enumerate(sub.tensors) if tensor.constant}
    found = []
    for op in sub.ops:
        if op.custom or op.subgraphs or op.kind in _VARYING or not op.outputs:
            continue
        if all(index in known or index < 0 for index in op.inputs) and _computes(op, known):
            known.update(op.outputs)
            if op.kind not in _KEPT_SMALL:
                found.append(op)
    return found


def _computes(op: Op, known: set[int]) -> bool:
    """Not an op without inputs, nor one whose result the reader already has."""
    return bool(op.inputs) and op.outputs[0] not in known


def _ends(constant: list[Op], links: Links) -> list[tuple[int, Op]]:
    """The ops whose results are used by what is not constant, with the bytes they make."""
    inside = {id(op) for op in constant}
    ends = (op for op in constant if _leaves(op, links, inside))
    return [(bytes_once(output_of(links.subgraph, op)), op) for op in ends]


def _leaves(op: Op, links: Links, inside: set[int]) -> bool:
    """Whether something that is not constant uses the result."""
    users = (links.consumers.get(index, ()) for index in op.outputs)
    ops = links.subgraph.ops
    return any(id(ops[user]) not in inside for found in users for user in found)


RULE = Rule(
    code="EB214",
    name="constant-work",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=check,
)
