"""
Ops that compute in float in an integer model.

What it finds
    In a model whose layers compute on integers: ops that still compute in float, and
    their share of the multiply-accumulates. In `.onnx` only ops with weights, since
    onnxruntime has no integer kernels for most of the others.

Why it hurts
    At each border the integers are converted, and the tensor takes four times the
    bytes. Accelerators hand such ops to the CPU, a microcontroller without a
    floating-point unit computes them in software. Quantizers leave ops out without
    a word: litert-quantizer's GPTQ, OSCAR and block-wise recipes quantize FULLY_CONNECTED
    alone and leave convolutions in float.

Example
    2 of 13 ops compute in float (98 % of the multiply-accumulates): CONV_2D conv2d

Instead
    Choose a recipe that covers the op, or set
    ``supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]``: TensorFlow's converter then
    says which op it cannot quantize. A softmax at the end may be left to the
    application, when only the largest class matters.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.dtypes import is_float
from pytest_edgebudget.graph.ir import Op, Subgraph
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.links import Links
from pytest_edgebudget.lint.quantization._layers import layers, named, short
from pytest_edgebudget.lint.quantization._onnx import (
    QUANTIZE,
    STATIC,
    WITH_KERNEL,
    dequantized,
    on_integers,
    source,
)

_CONVERSIONS = frozenset({"QUANTIZE", "DEQUANTIZE", "CAST"})
_VIEWS = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS"})


def _check(model: ModelFile) -> Iterator[Finding]:
    ops = [op for subgraph in model.graph.subgraphs for op in subgraph.ops]
    left = _tflite(model) if model.graph.format == "tflite" else _onnx(model)
    if not left:
        return
    alone = {id(op) for op in left}
    share = _share(model, [id(op) in alone for op in ops])
    names = named([f"{op.kind} {short(op.name)}" for op in left])
    macs = f" ({share:.0%} of the multiply-accumulates)" if share else ""
    verb = "computes" if len(left) == 1 else "compute"
    yield Finding(
        f"{len(left)} of {len(ops)} ops {verb} in float{macs}: {names}",
        severity=Severity.WARNING if share else Severity.NOTE,
    )


def _tflite(model: ModelFile) -> list[Op]:
    if not any(layer.integer for layer in layers(model)):
        return []
    subgraphs = model.graph.subgraphs
    return [op for subgraph in subgraphs for op in subgraph.ops if _in_float(op, subgraph)]


def _in_float(op: Op, subgraph: Subgraph) -> bool:
    if op.kind in _CONVERSIONS or op.kind in _VIEWS:
        return False
    made = [subgraph.tensors[index] for index in op.outputs if index >= 0]
    read = [subgraph.tensors[index] for index in op.inputs if index >= 0]
    moving = any(is_float(tensor.dtype) and not tensor.constant for tensor in read)
    return moving and bool(made) and all(is_float(tensor.dtype) for tensor in made)


def _onnx(model: ModelFile) -> list[Op]:
    """Layers in float beside others on integers, in a model of calibrated activations."""
    left: list[Op] = []
    calibrated = 0
    for links in model.links:
        for op in links.subgraph.ops:
            if op.kind in STATIC:
                calibrated += 1
            elif op.kind in WITH_KERNEL and _has_weights(op, links):
                whole = on_integers(op, links)
                calibrated += whole and _calibrated(op, links)
                left += [] if whole else [op]
    return left if calibrated else []


def _has_weights(op: Op, links: Links) -> bool:
    """Whether the second input is stored, as floats or as integers."""
    index = op.inputs[1] if len(op.inputs) > 1 else -1
    if index < 0 or links.subgraph.tensors[index].constant:
        return index >= 0
    stored = dequantized(op, 1, links)
    return stored is not None and stored.constant


def _calibrated(op: Op, links: Links) -> bool:
    """Whether the activations of *op* pass through a QuantizeLinear, and not its weights alone."""
    maker = source(op.inputs[0], links)
    before = source(maker.inputs[0], links) if maker is not None and maker.inputs else None
    return before is not None and before.kind in QUANTIZE | STATIC


def _share(model: ModelFile, chosen: list[bool]) -> float:
    """The multiply-accumulates of the chosen ops, as a share of all."""
    counts = [cost.macs or 0 for cost in model.costs]
    total = sum(counts)
    picked = sum(count for count, taken in zip(counts, chosen, strict=False) if taken)
    return picked / total if total else 0.0


RULE = Rule(
    code="EB301",
    name="float-ops-in-integer-model",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=_check,
)
