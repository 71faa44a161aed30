"""
An op that the device's runtime takes for one that it knows.

What it finds
    Ops of a `.tflite` whose written version the profile's runtime knows, while their
    types need a version that it does not know.

Why it hurts
    The runtime does not refuse the file by its version. It takes the kernel that it has,
    which reads per-channel scales as one, or 4-bit weights as bytes; at best that kernel
    fails when it prepares. Otherwise the answers are wrong without a word: accuracy 0.12
    in place of 0.98 on a digits classifier with dynamic range weights by litert-quantizer
    in tflite-runtime 2.14; with 4-bit weights 0.08, or a crash.

Example
    FULLY_CONNECTED needs version 12 and says 1: tflite-runtime 2.14.0 knows up to 10, and
    takes it for version 1

Instead
    Use a recipe that the runtime knows: full integers (int8), or int8 weights that are
    dequantized. Or install ai-edge-litert on the device.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, ModelFile, OnDevice, Rule, Severity
from pytest_edgebudget.lint.runtimes._ops import uses
from pytest_edgebudget.lint.runtimes.knowledge import TfliteRuntime, misreads, tflite_runtime
from pytest_edgebudget.lint.runtimes.understated_version import said


def _check(pair: OnDevice) -> Iterator[Finding]:
    name, runtime = tflite_runtime(pair.profile)
    if runtime is None or _refused(pair.model, runtime):
        return
    for use in uses(pair.model):
        if not use.custom and misreads(runtime, use.kind, use.written, use.needed):
            known = f"{name} {runtime.version} knows up to {runtime.ops[use.kind]}"
            message = f"{said(use)}: {known}, and takes it for version {use.written}"
            yield Finding(message, where=use.where)


def _refused(model: ModelFile, runtime: TfliteRuntime) -> bool:
    """Whether the runtime stops at a tensor type before it comes to the ops (EB505)."""
    tensors = (tensor for subgraph in model.graph.subgraphs for tensor in subgraph.tensors)
    return any(tensor.dtype in runtime.no_types for tensor in tensors)


RULE = Rule(
    code="EB504",
    name="misread-op",
    severity=Severity.ERROR,
    needs=OnDevice,
    check=_check,
    formats=frozenset({"tflite"}),
)
