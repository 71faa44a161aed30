"""
An op that only its own library knows.

What it finds
    Custom ops that none of the runtimes known here has a kernel for; in `.onnx` also ops
    of domains that onnxruntime does not have and that the model does not define itself.

Why it hurts
    The runtime refuses the model ("Encountered unresolved custom op") until the program
    registers the kernel by hand: on each device, in each language, and in the tool that
    measures it.

Example
    custom op MyFilter (2 ops), which no runtime known here has a kernel for

Instead
    Build the op from standard ones, or keep it out of the model, before or behind it.
    Where it has to stay, register the library wherever the model is loaded:
    ``custom_op_registerers`` of the interpreter, ``register_custom_ops_library`` of
    onnxruntime.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.runtimes._ops import COMPILED, FLEX


def _check(model: ModelFile) -> Iterator[Finding]:
    found = _tflite(model) if model.graph.format == "tflite" else _onnx(model)
    for kind, names in found.items():
        count = "" if len(names) == 1 else f" ({len(names)} ops)"
        message = f"custom op {kind}{count}, which no runtime known here has a kernel for"
        yield Finding(message, where=names[0].split(";")[0])


def _tflite(model: ModelFile) -> Mapping[str, list[str]]:
    custom = [op for sub in model.graph.subgraphs for op in sub.ops if op.custom]
    if not custom:
        return {}
    from pytest_edgebudget.lint.runtimes.known import TFLITE

    known = frozenset(COMPILED).union(*(runtime.custom for runtime in TFLITE.values()))
    found: dict[str, list[str]] = {}
    for op in custom:
        if op.kind not in known and not op.kind.startswith(FLEX):
            found.setdefault(op.kind, []).append(op.name)
    return found


def _onnx(model: ModelFile) -> Mapping[str, list[str]]:
    from pytest_edgebudget.lint.runtimes.known import ONNX

    known = model.graph.functions.union(*(runtime.schemas for runtime in ONNX.values()))
    found: dict[str, list[str]] = {}
    for subgraph in model.graph.subgraphs:
        for op in subgraph.ops:
            if op.custom and op.kind not in known:  # of standard ones EB512 speaks
                found.setdefault(op.kind, []).append(op.name)
    return found


RULE = Rule(
    code="EB510",
    name="custom-op",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=_check,
)
