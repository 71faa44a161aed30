"""Models of single ops, and what other tools do with them: made once a session."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent
ROOT = Path(__file__).parents[3]
ENVIRONMENT = os.environ | {
    "CUDA_VISIBLE_DEVICES": "",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYTHONPATH": str(ROOT),
}


@pytest.fixture(scope="session")
def op_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what op_models.py writes: NAME.KIND.tflite."""
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    folder = tmp_path_factory.mktemp("ops")
    command = [sys.executable, str(FOLDER / "op_models.py"), str(folder)]
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT, timeout=600)
    return folder


@pytest.fixture
def ask(tmp_path: Path) -> Callable[[str, list[Path]], dict[Path, Any]]:
    """What a tool of others.py decides for each model; an error of the tool is an "error"."""

    def asked(tool: str, models: list[Path]) -> dict[Path, Any]:
        out = tmp_path / f"{tool}.json"
        command = [sys.executable, str(FOLDER / "others.py"), tool, str(out), *map(str, models)]
        subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT, timeout=300)
        return {Path(name): found for name, found in json.loads(out.read_text()).items()}

    return asked
