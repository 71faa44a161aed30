"""
A recurrent layer runs as a loop of small ops.

What it finds
    A WHILE of a .tflite whose body has the gates of an LSTM or a GRU: dense layers, LOGISTIC
    and TANH.

Why it hurts
    Each time step calls the interpreter for every op of the body (the message has their
    number), where the fused op UNIDIRECTIONAL_SEQUENCE_LSTM is one op with one kernel.
    Post-training quantization does not look into the body, so the layer stays float, and
    delegates leave the loop to the CPU.

Example
    An LSTM of Keras 3 converted by TensorFlow 2.21, with a fixed batch, too: WHILE with
    20 ops in its body.

Instead
    Use `unroll=True` for few steps; train with tf_keras (Keras 2), whose LSTM the
    converter fuses when the batch is fixed; or use convolutions over time (TCN, SVDF).
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
    severity=Severity.WARNING,
    needs=ModelFile,
    check=check,
    formats=frozenset({"tflite"}),
)
