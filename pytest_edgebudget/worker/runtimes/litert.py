"""LiteRT, the distribution ai-edge-litert."""

from __future__ import annotations

from importlib.metadata import version

from ..acceleration import GPU, Acceleration, refuse
from ..refusal import not_imported
from .base import Runtime
from .interpreter import InterpreterRuntime


def open_runtime() -> InterpreterRuntime:
    """Import LiteRT."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise not_imported("ai-edge-litert", error) from error
    return InterpreterRuntime("litert", version("ai-edge-litert"), Interpreter)


def open_accelerated(acceleration: Acceleration) -> Runtime:
    """Import LiteRT with its GPU accelerator, or with an external delegate."""
    if acceleration.provider:
        refuse(acceleration, "litert")
    if acceleration.delegate == GPU:
        from .litert_gpu import open_gpu

        return open_gpu(acceleration.options)
    from .delegates import DelegatedRuntime

    plain = open_runtime()
    from ai_edge_litert.interpreter import Interpreter, load_delegate

    return DelegatedRuntime(plain.name, plain.version, Interpreter, load_delegate, acceleration)
