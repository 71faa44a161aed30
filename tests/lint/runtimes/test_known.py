"""What is written down of runtimes is what they say today."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.lint.runtimes.known import ONNX, TFLITE

TOOL = Path(__file__).parents[3] / "tools" / "probe_runtimes.py"


@pytest.mark.slow
def test_the_installed_runtimes_know_what_is_written_down() -> None:
    for name in ("ai_edge_litert", "onnx"):
        pytest.importorskip(name, reason="pip install 'pytest-edgebudget[litert,onnx]'")
    if importlib.util.find_spec("tflite_runtime") and np.__version__ >= "2":
        pytest.skip("tflite-runtime needs numpy below 2")
    command = [sys.executable, str(TOOL), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_versions_that_runtimes_do_not_look_at_are_all_known() -> None:
    assert TFLITE["tflm"].runs("ADD", 99)
    assert not TFLITE["tflm"].runs("STABLEHLO_ADD", 1)
    assert not TFLITE["litert"].runs("ADD", 99)


def test_an_op_whose_first_version_was_withdrawn_starts_with_the_second() -> None:
    # op_version.cc: version 1 of BROADCAST_TO was rolled back
    assert [TFLITE["litert"].runs("BROADCAST_TO", version) for version in (1, 2)] == [False, True]


def test_onnxruntime_knows_its_own_domain_and_not_another() -> None:
    assert "com.microsoft:QGemm" in ONNX["onnxruntime"].schemas
    assert "com.example:Filter" not in ONNX["onnxruntime"].schemas
