"""
Op versions that old runtimes can refuse.

litert-quantizer writes version 1 everywhere. A runtime that does not know
per-channel hybrid kernels then computes nonsense instead of refusing the file.
An op code gets the highest version that any of its ops needs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_edgebudget.graph.tflite import read_tflite
from pytest_edgebudget.graph.tflite_versions import needed_versions
from pytest_edgebudget.passes._normalise import packed


def set_versions(model: Any) -> None:
    """Raise the versions in a ``ModelT`` to what its ops need; never lower one."""
    graph = read_tflite(packed(model), Path())
    for written, read in zip(model.subgraphs, graph.subgraphs, strict=True):
        for op, needed in zip(written.operators or [], needed_versions(read), strict=True):
            code = model.operatorCodes[op.opcodeIndex]
            code.version = max(code.version, needed)
