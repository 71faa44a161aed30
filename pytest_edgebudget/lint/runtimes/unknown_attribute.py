"""
An attribute that the op does not have in the model's operator set.

What it finds
    Attributes of standard ops of an `.onnx` that onnxruntime does not know for that op in
    the opset which the model imports: misspelt ones, those of a newer opset, those that
    became inputs or were withdrawn.

Why it hurts
    onnxruntime refuses the file when it loads it ("Unrecognized attribute: axes for
    operator ReduceSum"). ReduceSum and Squeeze take their axes as an input since opset 13,
    Slice and Pad since 10 and 11: writing a newer opset number into a file is not enough.
    Which attributes it knows was asked of the runtime itself. Ops of other domains,
    whose attributes follow the runtime's release and no opset, are not looked at.

Example
    ReduceSum has no attribute axes in opset 13 (it had until opset 12)

Instead
    Export again with the opset that is meant, or convert with ``onnx.version_converter``.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.runtimes.knowledge import onnx_runtime

_INTERNAL = "__"
"""How names begin that the runtime keeps for itself, and does not check."""


def _check(model: ModelFile) -> Iterator[Finding]:
    _, runtime = onnx_runtime(None)
    if runtime is None:
        return
    found: dict[tuple[str, str, int], str] = {}
    known: dict[tuple[str, int], frozenset[str]] = {}
    for subgraph in model.graph.subgraphs:
        for op in subgraph.ops:
            if not op.attributes or op.custom or not runtime.runs(op.kind, op.version):
                continue
            key = op.kind, op.version
            if key not in known:
                known[key] = _known(*key)
            for name in op.attributes.keys() - known[key]:
                if not name.startswith(_INTERNAL):
                    found.setdefault((op.kind, name, op.version), op.name)
    for (kind, name, version), where in sorted(found.items()):
        message = f"{kind} has no attribute {name} in opset {version}{_elsewhere(kind, name)}"
        yield Finding(message, where=where)


def _known(kind: str, opset: int) -> frozenset[str]:
    """The attributes of an op in that opset."""
    ranges = _ranges(kind)
    return frozenset(name for name, (first, last) in ranges.items() if first <= opset <= last)


def _ranges(kind: str) -> dict[str, tuple[int, int]]:
    """Each attribute that an op ever had, and its first and last opset."""
    from pytest_edgebudget.lint.runtimes.known_attributes import ATTRIBUTES

    found = {}
    for word in ATTRIBUTES.get(kind, "").split():
        name, _, opsets = word.partition(":")
        first, _, last = opsets.partition("-")
        found[name] = int(first or 1), int(last or _OPEN)
    return found


_OPEN = 1 << 30


def _elsewhere(kind: str, name: str) -> str:
    """When there was, or will be, such an attribute."""
    if name not in _ranges(kind):
        return ""
    first, last = _ranges(kind)[name]
    return f" (it has from opset {first} on)" if last == _OPEN else f" (it had until opset {last})"


RULE = Rule(
    code="EB513",
    name="unknown-attribute",
    severity=Severity.ERROR,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"onnx"}),
)
