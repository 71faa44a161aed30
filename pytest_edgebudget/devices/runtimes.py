"""The runtimes that devices have: distribution, extra, formats."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeInfo:
    """
    Facts about a runtime.

    Attributes:
        distribution: what pip calls it.
        extra: the extra of pytest-edgebudget that installs it.
        formats: what it runs.
        invoke: the function whose instructions are an inference; empty where
            the runtime's library names none.
    """

    distribution: str
    extra: str
    formats: tuple[str, ...]
    invoke: str = ""


INTERPRETER_INVOKE = "tflite::interpreter_wrapper::InterpreterWrapper::Invoke(int)"

RUNTIMES = {
    "litert": RuntimeInfo(
        distribution="ai-edge-litert",
        extra="litert",
        formats=("tflite",),
        invoke=INTERPRETER_INVOKE,
    ),
    "onnxruntime": RuntimeInfo(distribution="onnxruntime", extra="onnx", formats=("onnx",)),
    "tflite-runtime": RuntimeInfo(
        distribution="tflite-runtime",
        extra="tflite-runtime",
        formats=("tflite",),
        invoke=INTERPRETER_INVOKE,
    ),
}
