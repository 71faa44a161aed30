"""
A QUANTIZE op that changes nothing.

What it finds
    QUANTIZE ops whose input and output are integers of one type, with one scale
    and one zero point.

Why it hurts
    The op reads the whole tensor and writes it again. Runtimes for `.tflite` remove
    nothing when they load a model.

Example
    add: QUANTIZE of int8 to int8 with the same scale

Instead
    Let the consumers read its input. Quantize the float model in one go: such ops
    are left over where two parts were quantized apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.dtypes import is_float
from pytest_edgebudget.graph.ir import Op, Subgraph
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.quantization._layers import alike, short


def _check(model: ModelFile) -> Iterator[Finding]:
    for subgraph in model.graph.subgraphs:
        for op in subgraph.ops:
            if op.kind == "QUANTIZE" and _idle(op, subgraph):
                dtype = subgraph.tensors[op.outputs[0]].dtype
                message = f"QUANTIZE of {dtype} to {dtype} with the same scale"
                yield Finding(message, where=short(op.name))


def _idle(op: Op, subgraph: Subgraph) -> bool:
    if len(op.inputs) != 1 or len(op.outputs) != 1 or min(op.inputs[0], op.outputs[0]) < 0:
        return False
    read, made = subgraph.tensors[op.inputs[0]], subgraph.tensors[op.outputs[0]]
    return not is_float(read.dtype) and alike(read, made)


RULE = Rule(
    code="EB303",
    name="no-op-requantize",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
