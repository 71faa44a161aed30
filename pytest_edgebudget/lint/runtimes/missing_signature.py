"""
A model without a signature.

What it finds
    `.tflite` files in which no signature names the inputs and outputs.

Why it hurts
    Callers find inputs and outputs by their position, and a new conversion may put them
    in another order without an error. ``get_signature_runner`` and LiteRT's newer
    CompiledModel work by signature, and litert-quantizer's ``calibrate`` refuses the file.

Example
    no signature names the 2 inputs and 1 output

Instead
    Convert from a SavedModel, or from ``tf.function`` with ``from_concrete_functions``:
    both write a signature.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity


def _check(model: ModelFile) -> Iterator[Finding]:
    if not model.graph.signatures:
        main = model.graph.main
        inputs, outputs = _count(len(main.inputs), "input"), _count(len(main.outputs), "output")
        yield Finding(f"no signature names the {inputs} and {outputs}")


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


RULE = Rule(
    code="EB508",
    name="missing-signature",
    severity=Severity.NOTE,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
