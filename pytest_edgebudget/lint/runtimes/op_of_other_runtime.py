"""
An op, or a version of one, that the device's runtime does not know.

What it finds
    Builtin and custom ops of a `.tflite` that some runtime known here runs, but not the
    one of the profile. (What no runtime knows is EB501's and EB510's; the ops of
    TensorFlow Lite Micro are judged with its other limits, in EB4xx.)

Why it hurts
    The runtime refuses the whole file when it loads it. TensorFlow's converter writes
    dynamic range models whose FULLY_CONNECTED is of version 12: tflite-runtime 2.14, the
    last release of its kind, knows versions up to 10.

Example
    FULLY_CONNECTED version 12: tflite-runtime 2.14.0 knows versions 1 to 10

Instead
    Install ai-edge-litert, which is tflite-runtime's successor. On a device that has to
    stay with the old one: full integers (int8), float16 or int8 weights, which it runs.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.runtimes._ops import COMPILED, FLEX, Use, uses
from pytest_edgebudget.lint.runtimes.knowledge import TfliteRuntime, newest, tflite_runtime
from pytest_edgebudget.types import Profile


def _check(pair: OnDevice) -> Iterator[Finding]:
    name, runtime = tflite_runtime(pair.profile)
    if runtime is None or name == "tflm":
        return
    for use in uses(pair.model):
        wrong = _custom(use, runtime, pair.profile) if use.custom else _builtin(use, runtime)
        if wrong:
            yield Finding(f"{use.title}: {name} {runtime.version} {wrong}", where=use.where)


def _builtin(use: Use, runtime: TfliteRuntime) -> str:
    if runtime.runs(use.kind, use.written) or not newest().runs(use.kind, use.written):
        return ""
    last = runtime.ops.get(use.kind)
    first = runtime.first.get(use.kind, 1)
    return "has no kernel for it" if last is None else f"knows versions {first} to {last}"


def _custom(use: Use, runtime: TfliteRuntime, profile: Profile) -> str:
    from pytest_edgebudget.lint.runtimes.known import TFLITE

    if use.kind in runtime.custom or use.kind.startswith(FLEX):
        return ""
    if use.kind in COMPILED:
        wanted = COMPILED[use.kind]
        there = profile.accelerator.startswith(wanted)
        return "" if there else f"has no kernel for it: the file was compiled for {wanted}"
    others = [other for other, known in TFLITE.items() if use.kind in known.custom]
    return f"has no kernel for it, but {others[0]} has" if others else ""


RULE = Rule(
    code="EB502",
    name="op-of-other-runtime",
    severity=Severity.ERROR,
    needs=OnDevice,
    check=_check,
    formats=frozenset({"tflite"}),
)
