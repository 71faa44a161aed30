"""
Constants and inputs that no op uses.

What it finds
    Constants that nothing reads, when together they take half a percent of the file (and
    256 bytes), and inputs of the model that no op looks at.

Why it hurts
    Constants without a reader take flash and download like all others. An unused input
    takes memory through the whole inference in most runtimes, and whoever fills it
    spends time on data that changes nothing.

Example
    Initializers that stay behind when nodes are removed from an .onnx; the training flag
    or the mask that became an input of the exported model.

Instead
    Export again from what is used. For .onnx, onnx-ir's RemoveUnusedNodesPass drops
    unused initializers.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.structure._ops import bytes_once, plural, size

_LEAST, _SHARE = 256, 0.005


def check(model: ModelFile) -> Iterator[Finding]:
    """Constants of all subgraphs; inputs of the main one."""
    unused = _unused_constants(model)
    total = sum(tensor.stored_bytes for tensor in unused)
    whole = model.graph.size + model.graph.external_size
    if total >= max(_LEAST, _SHARE * whole):
        share = total / whole
        largest = max(unused, key=lambda tensor: tensor.stored_bytes)
        message = f"{plural(len(unused), 'constant')} that nobody uses: {size(total)} ({share:.1%})"
        yield Finding(message, largest.name, saves=total)
    main = model.links[0]
    for index in main.subgraph.inputs:
        if not main.used(index):
            tensor = main.subgraph.tensors[index]
            taken = bytes_once(tensor)
            cost = f": {size(taken)} are filled for nothing" if taken else ""
            yield Finding(f"an input that no op uses{cost}", tensor.name, severity=Severity.NOTE)


def _unused_constants(model: ModelFile) -> list[Tensor]:
    """One tensor for each view that is stored and never used."""
    used: set[int] = set()
    unused: dict[int, Tensor] = {}
    for links in model.links:
        for index, tensor in enumerate(links.subgraph.tensors):
            if tensor.data is None:
                continue
            if links.used(index):
                used.add(id(tensor.data))
            else:
                unused[id(tensor.data)] = tensor
    return [tensor for view, tensor in unused.items() if view not in used]


RULE = Rule(
    code="EB207",
    name="unused-tensors",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=check,
)
