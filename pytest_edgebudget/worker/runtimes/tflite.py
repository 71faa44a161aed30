"""The older runtime that boards still have, the distribution tflite-runtime."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

from ..acceleration import GPU, Acceleration, refuse
from ..refusal import Refusal, not_imported
from .base import Runtime
from .interpreter import InterpreterRuntime


def open_runtime() -> InterpreterRuntime:
    """Import tflite-runtime; its wheels were built against numpy 1."""
    try:
        from tflite_runtime.interpreter import Interpreter
    except ImportError as error:
        raise not_imported("tflite-runtime", error) from error
    found = version("tflite-runtime")
    if int(np.__version__.split(".")[0]) >= 2:
        raise Refusal(
            "runtime",
            f"tflite-runtime {found} needs numpy below 2, here is {np.__version__}",
            "give it a Python of its own: python = '...' in [device]",
        )
    return InterpreterRuntime("tflite-runtime", found, Interpreter)


def open_accelerated(acceleration: Acceleration) -> Runtime:
    """Import tflite-runtime with an external delegate; its wheels have no other."""
    if acceleration.provider or acceleration.delegate == GPU:
        refuse(acceleration, "tflite-runtime")
    from .delegates import DelegatedRuntime

    plain = open_runtime()
    from tflite_runtime.interpreter import Interpreter, load_delegate

    return DelegatedRuntime(plain.name, plain.version, Interpreter, load_delegate, acceleration)
