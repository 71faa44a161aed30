"""
Sparse integer weights, which LiteRT's default delegate refuses.

What it finds
    Weights of integers in sparse storage (DENSIFY) in front of a FULLY_CONNECTED, or of
    a CONV_2D with float activations.

Why it hurts
    XNNPACK, which LiteRT uses by default, says that it takes such an op and then fails:
    "failed to delegate FULLY_CONNECTED node", and with it the interpreter. Measured with
    LiteRT 2.3.0 on models of TensorFlow's converter with DEFAULT and
    EXPERIMENTAL_SPARSITY. Float weights, and convolutions on integers, are taken;
    tflite-runtime 2.14 takes all of them. Nowhere did sparse storage make anything faster.

Example
    dense: sparse int8 weights in front of FULLY_CONNECTED

Instead
    Convert without ``EXPERIMENTAL_SPARSITY``: zeros in dense int8 weights compress in a
    download just as well. Or run without the delegate
    (``OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES``), three to five times slower.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.dtypes import SMALL_INTEGERS, is_float
from pytest_edgebudget.graph.ir import Op, Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.links import Links

_KERNEL = 1


def _check(model: ModelFile) -> Iterator[Finding]:
    for links in model.links:
        for op in links.subgraph.ops:
            if op.kind in ("CONV_2D", "FULLY_CONNECTED") and len(op.inputs) > _KERNEL:
                dtype = _densified(op, links)
                if dtype and _refused(op, links.subgraph.tensors):
                    message = f"sparse {dtype} weights in front of {op.kind}"
                    yield Finding(message, where=op.name.split(";")[0])


def _densified(op: Op, links: Links) -> str:
    """The type of integer weights that a DENSIFY makes; "" for others."""
    maker = links.producer(op.inputs[_KERNEL])
    if maker is None or maker.kind != "DENSIFY":
        return ""
    dtype = links.subgraph.tensors[op.inputs[_KERNEL]].dtype
    return dtype if dtype in SMALL_INTEGERS else ""


def _refused(op: Op, tensors: tuple[Tensor, ...]) -> bool:
    return op.kind == "FULLY_CONNECTED" or (
        op.inputs[0] >= 0 and is_float(tensors[op.inputs[0]].dtype)
    )


RULE = Rule(
    code="EB506",
    name="sparse-integer-weights",
    severity=Severity.ERROR,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
