"""LiteRT, the distribution ai-edge-litert."""

from __future__ import annotations

from importlib.metadata import version

from ..refusal import not_imported
from .interpreter import InterpreterRuntime


def open_runtime() -> InterpreterRuntime:
    """Import LiteRT."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise not_imported("ai-edge-litert", error) from error
    return InterpreterRuntime("litert", version("ai-edge-litert"), Interpreter)
