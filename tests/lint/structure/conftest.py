"""Models of Keras, exported once for all tests of this folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def keras_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What keras_models.py writes, in a process of its own."""
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed")
    folder = tmp_path_factory.mktemp("keras")
    script = Path(__file__).parent / "keras_models.py"
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}
    command = [sys.executable, str(script), str(folder)]
    subprocess.run(command, check=True, capture_output=True, env=environment, timeout=300)
    return folder
