"""
The device's runtime has no such operator.

What it finds
    Operators of a .tflite for TensorFlow Lite Micro that it does not have, in any subgraph,
    and layers in a mix of types that it does not compute (int8 weights with float
    activations). Operators that an accelerator takes do not count.

Why it hurts
    The model does not run: the interpreter ends with "Didn't find op for builtin opcode",
    or with "Hybrid models are not supported". Nothing on the way says so: the
    converter, and LiteRT on a workstation, know over 200 operators, TensorFlow Lite Micro 100.

Example
    TOPK_V2 at the end of a detector; a dynamic-range model (the recipe `dynamic_int8`).

Instead
    Compute it in the application, or compose it of operators that there are
    (docs/profiles.md has the list). Dynamic-range models: quantize to int8.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.devices.constraints import Table, Violation, table_of, violations
from pytest_edgebudget.graph.ir import Op
from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.devices._placing import name_of, on_accelerator, runtime_for


def check(device: OnDevice) -> Iterator[Finding]:
    """Look at each operator that the runtime itself has to run."""
    table = table_of(runtime_for(device.profile, device.model.graph.format))
    if table is None or table.rest:
        return
    found: dict[tuple[str, str], list[tuple[Op, Violation]]] = {}
    for op, reason in _unknown(device, table):
        found.setdefault((op.kind, reason.message), []).append((op, reason))
    for (kind, _), together in found.items():
        op, reason = together[0]
        more = f"; {len(together)} like it" if len(together) > 1 else ""
        said = (
            reason if reason.cause == "operator" else f"{table.title} runs no such {kind}: {reason}"
        )
        yield Finding(f"{said}{more}", name_of(op), reason.instead)


def _unknown(device: OnDevice, table: Table) -> Iterator[tuple[Op, Violation]]:
    taken = {id(each.op) for each in on_accelerator(device) if each.on}
    for subgraph in device.model.graph.subgraphs:
        for op in subgraph.ops:
            if id(op) not in taken:
                for reason in violations(table, subgraph, op)[:1]:
                    yield op, reason


RULE = Rule(
    code="EB408",
    name="unknown-operator",
    severity=Severity.ERROR,
    needs=OnDevice,
    check=check,
    formats=frozenset({"tflite"}),
)
