"""What is known of a runtime, and which runtime a profile means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_edgebudget.types import Profile

ANY_VERSION = 0
"""Instead of an op's last version: the runtime does not look at versions."""


@dataclass(frozen=True, slots=True)
class TfliteRuntime:
    """
    One version of a runtime for `.tflite`.

    Attributes:
        version: of the runtime.
        ops: the last version of each op that it has a kernel for.
        first: the first version, where that is not 1.
        no_types: tensor types that it refuses.
        custom: the custom ops that it has a kernel for.
    """

    version: str
    ops: Mapping[str, int]
    first: Mapping[str, int]
    no_types: frozenset[str]
    custom: frozenset[str]

    def runs(self, kind: str, version: int) -> bool:
        """Whether it has a kernel for that version of an op."""
        last = self.ops.get(kind)
        if last is None:
            return False
        return last == ANY_VERSION or self.first.get(kind, 1) <= version <= last


@dataclass(frozen=True, slots=True)
class OnnxRuntime:
    """
    One version of a runtime for `.onnx`.

    Attributes:
        version: of the runtime.
        first_opset, last_opset: of the standard operators.
        ir_version: the last one that it reads.
        schemas: the ops that it has heard of; ``domain:name`` outside the standard.
        first, last: the first and last opset in which a standard op runs, where
            that is not *first_opset* and *last_opset*.
        missing: standard ops that it has heard of, and that run in no opset.
    """

    version: str
    first_opset: int
    last_opset: int
    ir_version: int
    schemas: frozenset[str]
    first: Mapping[str, int]
    last: Mapping[str, int]
    missing: frozenset[str]

    def runs(self, kind: str, opset: int) -> bool:
        """Whether it runs a standard op in that opset."""
        first, last = self.opsets(kind)
        return kind in self.schemas and kind not in self.missing and first <= opset <= last

    def opsets(self, kind: str) -> tuple[int, int]:
        """The first and last opset in which a standard op runs."""
        return self.first.get(kind, self.first_opset), self.last.get(kind, self.last_opset)


def newest() -> TfliteRuntime:
    """The runtime that is generally current: LiteRT, in the version that was asked."""
    from pytest_edgebudget.lint.runtimes.known import TFLITE

    return TFLITE["litert"]


def misreads(runtime: TfliteRuntime, kind: str, written: int, needed: int) -> bool:
    """Whether *runtime* runs an op as *written*, though it does not know what is *needed*."""
    looks = runtime.ops.get(kind, ANY_VERSION) != ANY_VERSION
    return (
        looks
        and written < needed
        and runtime.runs(kind, written)
        and not runtime.runs(kind, needed)
    )


def tflite_runtime(profile: Profile) -> tuple[str, TfliteRuntime | None]:
    """The name and the facts of what runs a `.tflite` there; None when nothing known does."""
    from pytest_edgebudget.lint.runtimes.known import TFLITE

    name = next((name for name in profile.runtimes if name in TFLITE), "")
    return name, TFLITE.get(name)


def onnx_runtime(profile: Profile | None) -> tuple[str, OnnxRuntime | None]:
    """The same for an `.onnx`; without a *profile* what is generally current."""
    from pytest_edgebudget.lint.runtimes.known import ONNX

    names = profile.runtimes if profile else ("onnxruntime",)
    name = next((name for name in names if name in ONNX), "")
    return name, ONNX.get(name)
