"""
A standard op that the model's operator set does not have, or onnxruntime does not run.

What it finds
    Ops of the standard domain of an `.onnx` that are not in the opset which the model
    imports (too new, or withdrawn), that no opset has, or that onnxruntime has no kernel
    for in that opset.

Why it hurts
    onnxruntime refuses the file when it loads it ("No Op registered for Gelu with domain_version
    of 17", "Could not find an implementation for Gemm(6)"). The opset says what
    each op means; a tool that writes an op by hand, or lowers the opset of a file, leaves
    ops behind that it does not have. In which opsets an op runs was asked of the runtime
    itself, op by op.

Example
    Gelu in opset 17: onnxruntime 1.32.0 runs it in opsets 20 to 28

Instead
    Export with an opset that has the op, convert with ``onnx.version_converter``, or
    write the op with older ones. Where the name is misspelt or belongs to another domain
    (``com.microsoft``), say so in the node's ``domain`` and import that domain.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Op
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.runtimes.knowledge import OnnxRuntime, onnx_runtime


def _check(model: ModelFile) -> Iterator[Finding]:
    name, runtime = onnx_runtime(None)
    if runtime is None:
        return
    found: dict[tuple[str, int], list[Op]] = {}
    for subgraph in model.graph.subgraphs:
        for op in subgraph.ops:
            # Of an opset that it does not read at all EB509 speaks.
            read = runtime.first_opset <= op.version <= runtime.last_opset
            if read and not op.custom and not runtime.runs(op.kind, op.version):
                found.setdefault((op.kind, op.version), []).append(op)
    for (kind, opset), ops in found.items():
        count = "" if len(ops) == 1 else f" ({len(ops)} ops)"
        why = _why(kind, runtime, f"{name} {runtime.version}")
        yield Finding(f"{kind}{count} in opset {opset}: {why}", where=ops[0].name)


def _why(kind: str, runtime: OnnxRuntime, who: str) -> str:
    if kind not in runtime.schemas:
        return f"{who} knows no standard op of that name"
    if kind in runtime.missing:
        return f"{who} has no kernel for it"
    first, last = runtime.opsets(kind)
    return f"{who} runs it in opsets {first} to {last}"


RULE = Rule(
    code="EB512",
    name="op-outside-opset",
    severity=Severity.ERROR,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"onnx"}),
)
