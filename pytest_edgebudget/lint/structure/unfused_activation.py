"""
An activation stands alone, where the op before it could apply it.

What it finds
    A RELU, RELU6 or RELU_N1_TO_1 of a .tflite behind a convolution, a dense layer, an
    addition or a multiplication (or behind a reshape of its result), when nothing else
    uses that result. Not in .onnx: onnxruntime fuses such pairs when it loads the model.

Why it hurts
    XNNPACK fuses the pair when it loads the model. TensorFlow Lite Micro and LiteRT's own
    kernels do not: the activation is an op of its own in each inference, which reads and
    writes the whole result once more (the bytes are named in the message), and its input
    and output lie in the arena side by side. A CNN for 8x8 digits needs an arena of 10,719
    bytes in TensorFlow Lite Micro instead of 7,407, and 8,448 in LiteRT instead of 5,376.

Example
    CONV_2D without an activation, then RELU: left by converters that come by way of
    another format, by fake-quantization between the two, and by editing the graph.

Instead
    Keep convolution, batch normalization and activation next to one another in the
    source model and convert it with TFLiteConverter, which fuses them; in a converted
    file, set `fused_activation_function` of the first op and drop the second.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Op
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.links import Links
from pytest_edgebudget.lint.structure._ops import (
    VIEWS,
    activation,
    by_cost,
    bytes_once,
    index_of,
    output_of,
    shown,
    size,
)

_ACTIVATIONS = frozenset({"RELU", "RELU6", "RELU_N1_TO_1"})

_FUSING = frozenset({"ADD", "CONV_2D", "DEPTHWISE_CONV_2D", "DIV", "FULLY_CONNECTED", "MUL", "SUB"})
"""Ops whose activation all kernels apply and the converter fuses (optimize_patterns.td)."""

_VIEWS_PASSED = 4


def check(model: ModelFile) -> Iterator[Finding]:
    """Look at each activation."""
    for links in model.links:
        for op in links.subgraph.ops:
            before = _fusing(op, links) if op.kind in _ACTIVATIONS else None
            if before is not None:
                moved = bytes_once(output_of(links.subgraph, before))
                cost = f": {size(moved)} are written and read once more" if moved else ""
                message = f"{op.kind} could be part of {before.kind}{cost}"
                yield Finding(message, shown(op), severity=by_cost(moved))


def _fusing(op: Op, links: Links) -> Op | None:
    """The op before *op* that could apply it; None when there is none."""
    index = index_of(op, 0)
    for _ in range(_VIEWS_PASSED):
        before = links.producer(index)
        if before is None or links.only_consumer(index) is None:
            return None
        if before.kind not in VIEWS:
            fusing = before.kind in _FUSING and activation(before) == "NONE"
            return before if fusing and _same_type(op, before, links) else None
        index = index_of(before, 0)
    return None


def _same_type(op: Op, before: Op, links: Links) -> bool:
    after, first = output_of(links.subgraph, op), output_of(links.subgraph, before)
    return after is not None and first is not None and after.dtype == first.dtype


RULE = Rule(
    code="EB202",
    name="unfused-activation",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=check,
    formats=frozenset({"tflite"}),
)
