"""
The device's runtime has no such operator, or does not take it like this.

What it finds
    Operators of a .tflite for TensorFlow Lite Micro, in any subgraph, that it does not
    have; of a type that their kernels do not take (float16, EXP of int8, int8 weights
    with float activations); and whose sizes, axes or paddings are computed where its
    kernels need constants. Operators that an accelerator takes do not count.

Why it hurts
    The model does not run: the interpreter ends with "Didn't find op for builtin opcode",
    "failed to prepare" or "failed to invoke". A fused LSTM with int8 weights and float
    activations even runs, and computes NaN. Nothing on the way says so: the converter, and
    LiteRT on a workstation, know over 200 operators in more types, TensorFlow Lite Micro 100.

Example
    TOPK_V2 at the end of a detector; a dynamic-range model (the recipe `dynamic_int8`); a
    float16 model, whose weights DEQUANTIZE widens on LiteRT and not here.

Instead
    Compute it in the application, or compose it of operators that there are
    (docs/profiles.md has the list, and the types). Dynamic-range and float16 models:
    quantize to int8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_edgebudget.devices.constraints import Violation, table_of
from pytest_edgebudget.graph.ir import Op
from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.devices._placing import name_of, refused, runtime_for

COMPOSED: Mapping[str, str] = {
    "GELU": "RELU or HARD_SWISH, retrained; or x * LOGISTIC(1.702 * x), of MUL and LOGISTIC",
    "MATRIX_DIAG": "MUL with a constant identity matrix",
    "ONE_HOT": "GATHER from a constant identity matrix",
    "POW": "MUL for whole exponents; EXP of y * LOG(x) in float32 for positive bases",
    "REDUCE_ANY": "CAST to int8, REDUCE_MAX and GREATER",
    "REDUCE_PROD": "UNPACK or SPLIT, and MUL; EXP of the SUM of LOG in float32 for positive values",
    "RELU_0_TO_1": "MINIMUM and MAXIMUM with constants",
    "RELU_N1_TO_1": "MINIMUM and MAXIMUM with constants",
    "SELECT": "SELECT_V2, which current converters write",
    "SIGN": "GREATER and LESS with 0, CAST and SUB",
    "TILE": "BROADCAST_TO along axes of size 1, or CONCATENATION",
    "TOPK_V2": "ARG_MAX for the largest alone, and leave sorting to the application",
    "WHERE": "SELECT_V2 with both choices, and leave finding indices to the application",
}
"""What operators that TensorFlow Lite Micro does not have can be composed of."""


def check(device: OnDevice) -> Iterator[Finding]:
    """Name each reason once a kind of operator."""
    table = table_of(runtime_for(device.profile, device.model.graph.format))
    if table is None:
        return
    found: dict[tuple[str, str], list[tuple[Op, Violation]]] = {}
    for op, reason in refused(device):
        found.setdefault((op.kind, reason.message), []).append((op, reason))
    for (kind, _), together in found.items():
        op, reason = together[0]
        more = f"; {len(together)} like it" if len(together) > 1 else ""
        absent = reason.cause == "operator"
        said = reason if absent else f"{table.title} runs no such {kind}: {reason}"
        yield Finding(f"{said}{more}", name_of(op), _composed(op) if absent else reason.instead)


def _composed(op: Op) -> str:
    """What to do without an operator."""
    if op.custom:
        return "register a kernel of your own in the firmware, or convert without custom operators"
    if op.kind in COMPOSED:
        return f"use {COMPOSED[op.kind]}"
    return "compose it of other operators in the source model, or compute it in the application"


RULE = Rule(
    code="EB408",
    name="unknown-operator",
    severity=Severity.ERROR,
    needs=OnDevice,
    check=check,
    formats=frozenset({"tflite"}),
)
