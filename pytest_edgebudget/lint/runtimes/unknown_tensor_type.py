"""
A tensor type that the device's runtime does not know.

What it finds
    Tensors of types that the profile's runtime refuses: 2-bit and unsigned 4-bit
    integers, bfloat16 and 8-bit floats in tflite-runtime 2.14; 2-bit integers and
    strings in TensorFlow Lite Micro.

Why it hurts
    The interpreter refuses the whole file when it loads it ("Unsupported data type 19 in
    tensor").

Example
    3 tensors of int2, which tflite-runtime 2.14.0 does not know

Instead
    Use another recipe (4-bit or 8-bit weights), or a newer runtime. Which types a
    runtime knows was asked of the runtime itself, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.runtimes.knowledge import tflite_runtime


def _check(pair: OnDevice) -> Iterator[Finding]:
    name, runtime = tflite_runtime(pair.profile)
    if runtime is None or not runtime.no_types:
        return
    found: dict[str, list[str]] = {}
    for subgraph in pair.model.graph.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.dtype in runtime.no_types:
                found.setdefault(tensor.dtype, []).append(tensor.name)
    for dtype, names in found.items():
        what = "1 tensor" if len(names) == 1 else f"{len(names)} tensors"
        message = f"{what} of {dtype}, which {name} {runtime.version} does not know"
        yield Finding(message, where=names[0].split(";")[0])


RULE = Rule(
    code="EB505",
    name="unknown-tensor-type",
    severity=Severity.ERROR,
    needs=OnDevice,
    check=_check,
    formats=frozenset({"tflite"}),
)
