"""
An op of TensorFlow itself in a `.tflite` (Select TF, Flex).

What it finds
    Custom ops whose names begin with Flex: ops that the converter could not express, and
    that TensorFlow computes inside the interpreter.

Why it hurts
    Neither LiteRT, nor tflite-runtime, nor TensorFlow Lite Micro has them: "Select
    TensorFlow op(s), included in the given model, is(are) not supported by this
    interpreter". In Python only the tensorflow package runs such a file: 1,879 MB
    installed, where LiteRT takes 59 MB.

Example
    2 ops need TensorFlow itself: FlexErf and FlexRoll

Instead
    Rewrite the layer in ops that TensorFlow Lite has (a gather for a roll, an
    approximation for a special function), and convert with
    ``supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]``, which names the op that is left.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.runtimes._ops import FLEX, listed


def _check(model: ModelFile) -> Iterator[Finding]:
    ops = [op for sub in model.graph.subgraphs for op in sub.ops]
    flex = [op for op in ops if op.custom and op.kind.startswith(FLEX)]
    if flex:
        what = "1 op needs" if len(flex) == 1 else f"{len(flex)} ops need"
        kinds = listed(dict.fromkeys(op.kind for op in flex))
        yield Finding(f"{what} TensorFlow itself: {kinds}", where=flex[0].name.split(";")[0])


RULE = Rule(
    code="EB511",
    name="select-tf-op",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
