"""The runtimes that the worker can drive, one file each."""

from __future__ import annotations

import importlib

from ..refusal import Refusal
from .base import Runtime

# Module names here, not imports: a worker imports one runtime.
RUNTIMES = {
    "litert": "litert",
    "tflite-runtime": "tflite",
    "onnxruntime": "onnx",
    "tflm": "tflm",
}


def open_runtime(name: str) -> Runtime:
    """Import the runtime *name*, or say what is missing."""
    if name not in RUNTIMES:
        raise Refusal("request", f"unknown runtime {name!r}", f"known: {', '.join(RUNTIMES)}")
    module = importlib.import_module("." + RUNTIMES[name], __name__)
    runtime: Runtime = module.open_runtime()
    return runtime
