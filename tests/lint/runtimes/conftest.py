"""Models of TensorFlow's converter: sparse ones, and one with an op of TensorFlow itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tensorflow_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of NAME.tflite, see convert.py."""
    pytest.importorskip("tensorflow", reason="pip install 'pytest-edgebudget[tensorflow]'")
    folder = tmp_path_factory.mktemp("tensorflow")
    script = Path(__file__).parent / "convert.py"
    subprocess.run([sys.executable, str(script), str(folder)], check=True, capture_output=True)
    return folder
