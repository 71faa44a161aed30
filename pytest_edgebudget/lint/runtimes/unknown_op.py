"""
An op, or a version of one, that LiteRT has no kernel for.

What it finds
    Builtin ops of a `.tflite` that the newest LiteRT known here does not run: ops of
    StableHLO that were to be lowered and were not, ops that never had a kernel, versions
    from a later schema.

Why it hurts
    The interpreter refuses the whole file ("Didn't find op for builtin opcode 'ADD'
    version '99'"). Which ops it knows is no reading of its documentation: it was given
    each op in each version.

Example
    STABLEHLO_DOT_GENERAL: LiteRT 2.3.0 has no kernel for it

Instead
    Convert again with the release of the converter that belongs to the runtime; leave
    out options that keep StableHLO ops in the file.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.runtimes._ops import Use, uses
from pytest_edgebudget.lint.runtimes.knowledge import TfliteRuntime, newest


def _check(model: ModelFile) -> Iterator[Finding]:
    runtime = newest()
    for use in uses(model):
        if not use.custom and not runtime.runs(use.kind, use.written):
            yield Finding(f"{use.title}: {_known(use, runtime)}", where=use.where)


def _known(use: Use, runtime: TfliteRuntime) -> str:
    last = runtime.ops.get(use.kind)
    if last is None:
        return f"LiteRT {runtime.version} has no kernel for it"
    first = runtime.first.get(use.kind, 1)
    return f"LiteRT {runtime.version} knows versions {first} to {last}"


RULE = Rule(
    code="EB501",
    name="unknown-op",
    severity=Severity.ERROR,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"tflite"}),
)
