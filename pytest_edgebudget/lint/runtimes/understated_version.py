"""
An op whose version is lower than its types need.

What it finds
    Ops of a `.tflite` whose written version some runtime knows, while it does not know
    the version that the op's types need: that runtime cannot see that it must refuse.

Why it hurts
    litert-quantizer writes version 1 everywhere. tflite-runtime 2.14 loads its dynamic
    range models and computes nonsense without a word: on a digits classifier accuracy
    0.12 where LiteRT reaches 0.98; with 4-bit weights 0.08 or a crash. With the right
    versions it says "Didn't find op for builtin opcode". Where the model runs on LiteRT
    alone, nothing happens; a profile of a device with the old runtime makes it an error
    (EB504).

Example
    FULLY_CONNECTED needs version 12 and says 1: tflite-runtime 2.14.0 knows up to 10

Instead
    Write the versions: the passes of pytest-edgebudget do, and so does TensorFlow's
    converter when it reads the file and writes it again
    (``tensorflow.lite.python.convert.mlir_sparsify``).
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.runtimes._ops import Use, uses
from pytest_edgebudget.lint.runtimes.knowledge import misreads


def _check(model: ModelFile) -> Iterator[Finding]:
    from pytest_edgebudget.lint.runtimes.known import TFLITE

    for use in uses(model):
        for name, runtime in TFLITE.items():
            if not use.custom and misreads(runtime, use.kind, use.written, use.needed):
                yield Finding(
                    f"{said(use)}: {name} {runtime.version} knows up to {runtime.ops[use.kind]}",
                    where=use.where,
                )
                break


def said(use: Use) -> str:
    """What the file says of an op, and what it had to say."""
    return f"{use.kind} needs version {use.needed} and says {use.written}"


RULE = Rule(
    code="EB503",
    name="understated-version",
    severity=Severity.NOTE,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
