"""The committed schema table is what its script writes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def test_generated_schema_is_fresh() -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    spec = importlib.util.spec_from_file_location(
        "generate_tflite_schema", ROOT / "tools" / "generate_tflite_schema.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.TARGET.read_text() == module.generate(), (
        "run python tools/generate_tflite_schema.py"
    )
