"""
A .tflite whose name ends in .onnx.

What it finds
    Files that hold a TensorFlow Lite model, and are named as an ONNX model. (The reverse
    cannot be read as a model at all, and the error says to rename it.)

Why it hurts
    Tools choose by the ending: onnxruntime is given the file and refuses it ("Protobuf
    parsing failed"), a converter takes it for its input, and a glob over ``*.tflite``
    misses it.

Example
    this is a .tflite model, and its name ends in .onnx

Instead
    Rename it, and look at the script that wrote it: perhaps the model that was meant was
    overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity


def _check(model: ModelFile) -> Iterator[Finding]:
    if model.path.suffix.lower() == ".onnx":
        yield Finding("this is a .tflite model, and its name ends in .onnx")


RULE = Rule(
    code="EB516",
    name="other-ending",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
