"""The runtimes that devices have: distribution, extra, formats."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_edgebudget.devices.interpreters import installed
from pytest_edgebudget.errors import ModelError


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
        tried_in: the runtime in which what was built is tried where this one
            is not installed.
        closed: why no runtime of that name can be had here; empty where pip
            has it.
        micro: whether it runs without an operating system, so that no process
            of this machine is a device with it.
        prepare: "module:function" that makes of a model's file what a worker
            loads; empty where that is the file itself.
    """

    distribution: str
    extra: str
    formats: tuple[str, ...]
    invoke: str = ""
    tried_in: str = ""
    micro: bool = False
    closed: str = ""
    prepare: str = ""


INTERPRETER_INVOKE = "tflite::interpreter_wrapper::InterpreterWrapper::Invoke(int)"

RUNTIMES = {
    "litert": RuntimeInfo(
        distribution="ai-edge-litert",
        extra="litert",
        formats=("tflite",),
        invoke=INTERPRETER_INVOKE,
    ),
    "onnxruntime": RuntimeInfo(distribution="onnxruntime", extra="onnx", formats=("onnx",)),
    "hls4ml": RuntimeInfo(
        distribution="hls4ml",
        extra="fpga",
        formats=("keras",),
        micro=True,
        prepare="pytest_edgebudget.devices.fpga.library:compiled",
    ),
    "tflite-runtime": RuntimeInfo(
        distribution="tflite-runtime",
        extra="tflite-runtime",
        formats=("tflite",),
        invoke=INTERPRETER_INVOKE,
    ),
    "tflm": RuntimeInfo(
        distribution="tflite-micro",
        extra="mcu",
        formats=("tflite",),
        tried_in="litert",
        micro=True,
    ),
    "tosa": RuntimeInfo(
        distribution="tosa-tools",
        extra="",
        formats=("tflite",),
        tried_in="litert",
        micro=True,
    ),
    "x-cube-ai": RuntimeInfo(
        distribution="",
        extra="",
        formats=("tflite", "onnx"),
        micro=True,
        closed="X-CUBE-AI is a tool of ST's own, closed, and not to be had offline",
    ),
}


def trial_runtime(runtime: str) -> str | None:
    """
    The runtime in which an artifact for *runtime* is tried when it was built.

    None: the one in which models of its format are tried by default.
    """
    info = RUNTIMES[runtime]
    if info.closed:
        return None
    if not info.tried_in or (info.distribution and installed(info.distribution, sys.executable)):
        return runtime
    return info.tried_in


def formats_of(runtimes: Iterable[str]) -> tuple[str, ...]:
    """The formats of models that these run, preferred first."""
    return tuple(dict.fromkeys(fmt for name in runtimes for fmt in RUNTIMES[name].formats))


def by_default(names: Sequence[str]) -> tuple[str, ...]:
    """Those that a budget file gets when it names none: the first of each format."""
    first = {fmt: name for name in reversed(names) for fmt in RUNTIMES[name].formats}
    return tuple(name for name in names if name in first.values())


def runtime_of(fmt: str, runtimes: tuple[str, ...], device: str) -> str:
    """
    The first of *runtimes* that runs models of that format.

    Raises ModelError where none does.
    """
    for name in runtimes:
        if fmt in RUNTIMES[name].formats:
            return name
    raise ModelError(
        f"{' and '.join(runtimes)} cannot run .{fmt} models",
        f"formats that run on {device}: {', '.join(formats_of(runtimes))}",
    )
