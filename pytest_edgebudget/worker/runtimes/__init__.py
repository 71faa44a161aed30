"""The runtimes that the worker can drive, one file each."""

from __future__ import annotations

import importlib

from ..acceleration import NOTHING, Acceleration, refuse
from ..refusal import Refusal
from .base import Runtime

# Module names here, not imports: a worker imports one runtime.
RUNTIMES = {
    "litert": "litert",
    "tflite-runtime": "tflite",
    "onnxruntime": "onnx",
    "tflm": "tflm",
    "tosa": "tosa",
    "hls4ml": "hls4ml",
}


def open_runtime(name: str, asked: Acceleration = NOTHING) -> Runtime:
    """Import the runtime *name*, with what was *asked* for; or say what is missing."""
    if name not in RUNTIMES:
        raise Refusal("request", f"unknown runtime {name!r}", f"known: {', '.join(RUNTIMES)}")
    module = importlib.import_module("." + RUNTIMES[name], __name__)
    if asked and not hasattr(module, "open_accelerated"):
        refuse(asked, name)
    runtime: Runtime = module.open_accelerated(asked) if asked else module.open_runtime()
    return runtime
