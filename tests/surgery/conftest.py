"""Programs with Keras, each in a process of its own; their results as JSON."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

Program = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Run a program of this folder with the path of its result, and more arguments."""
    for name in ("tensorflow", "keras"):
        if importlib.util.find_spec(name) is None:
            pytest.skip("pip install 'pytest-edgebudget[tensorflow]'")

    def run(name: str, *arguments: str) -> dict[str, Any]:
        out = tmp_path_factory.mktemp(name) / "result.json"
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)]),
            "PYTHONWARNINGS": "ignore",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",
        }
        done = subprocess.run(
            [sys.executable, str(HERE / f"{name}.py"), str(out), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(out.read_text())

    return run
