"""
A recurrent layer runs as a loop of small ops.

What it finds
    A WHILE of a .tflite whose body has the gates of an LSTM or a GRU: dense layers, LOGISTIC
    and TANH.

Why it hurts
    It is hardly slower in float (LiteRT 2.3 on x86-64, LSTM(64) over 50 steps: 103 us
    against 124 us of the fused op), but it stays float: TensorFlow 2.21's converter
    crashes when it is to quantize the loop in full. The same layer fused takes 25,720
    bytes in int8, as a loop 92,808. The compilers of NPUs know UNIDIRECTIONAL_SEQUENCE_LSTM
    (Vela does) and leave loops to the CPU, op by op in each step.

Example
    An LSTM of Keras 3 converted by TensorFlow 2.21, with a fixed batch, too: WHILE with
    19 ops in its body.

Instead
    Build the model with tf_keras (Keras 2), whose LSTM the converter fuses when the batch
    is fixed. `unroll=True` quantizes, too, but each step has ops of its own in the file
    (the layer above: 289,904 bytes). Or use convolutions over time.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Op
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.structure._ops import plural, shown

_GATES = frozenset({"FULLY_CONNECTED", "LOGISTIC", "TANH"})


def check(model: ModelFile) -> Iterator[Finding]:
    """Look into the body of each loop."""
    for links in model.links:
        for op in links.subgraph.ops:
            if op.kind != "WHILE" or len(op.subgraphs) != 2:
                continue
            body = model.graph.subgraphs[op.subgraphs[1]].ops
            if _recurrent(body):
                message = f"a recurrent layer as a loop: {plural(len(body), 'op')} for each step"
                yield Finding(message, shown(op))


def _recurrent(body: tuple[Op, ...]) -> bool:
    return {op.kind for op in body} >= _GATES


RULE = Rule(
    code="EB217",
    name="looped-recurrence",
    severity=Severity.NOTE,
    needs=ModelFile,
    check=check,
    formats=frozenset({"tflite"}),
)
