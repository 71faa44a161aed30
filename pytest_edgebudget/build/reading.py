"""What is known of a file without a framework, whatever its format."""

from __future__ import annotations

from pathlib import Path

from pytest_edgebudget import graph
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.keras import read_keras


def read(path: Path) -> Graph:
    """
    The graph of a `.tflite` or `.onnx`; of a `.keras` its size and its notes alone.

    Raises ModelError for what is no model.
    """
    return read_keras(path) if path.suffix == ".keras" else graph.read(path)
