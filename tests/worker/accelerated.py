"""What tests of accelerators need: a delegate of our own, models that a GPU does not take whole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_edgebudget.devices.accelerated import swiftshader
from pytest_edgebudget.devices.debian import data_folder
from tests.worker.talk import FOLDER, Talk

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples/digits"
DATA = data_folder()
ENVIRONMENTS = DATA / "environments"
L2_POOL_2D = 12  # schema.fbs, BuiltinOperator
RESHAPE, SOFTMAX = 22, 25


def emulated_gpu() -> dict[str, str]:
    """The environment in which Vulkan is SwiftShader; skips where it is not installed."""
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    place = swiftshader.find()
    if place is None:
        pytest.skip("SwiftShader is not here: edgebudget devices install gpu")
    return {**os.environ, **swiftshader.environment(place)}


def no_gpu() -> dict[str, str]:
    """An environment without any Vulkan driver."""
    nothing = str(ROOT / "no-such-driver.json")
    return {**os.environ, "VK_DRIVER_FILES": nothing, "VK_ICD_FILENAMES": nothing}


def python_with(distribution: str) -> str:
    """The Python of an environment that has a build of ONNX Runtime; skips where none is."""
    python = ENVIRONMENTS / distribution / "bin" / "python"
    if not python.is_file():
        folder = python.parent.parent
        pytest.skip(
            f"{distribution} is not here: {sys.executable} -m venv {folder} && "
            f"{python} -m pip install {distribution} numpy"
        )
    return str(python)


class TalkIn(Talk):
    """A worker in an *environment*, in another *python*."""

    def __init__(self, environment: Mapping[str, str], python: str = sys.executable) -> None:
        self.process = subprocess.Popen(
            [python, "-E", "-B", str(FOLDER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=dict(environment),
        )


def with_l2_pooling(folder: Path) -> Path:
    """The digits with root-mean-square pooling, which the GPU does not have and the CPU does."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    import flatbuffers

    model = schema.ModelT.InitFromObj(
        schema.Model.GetRootAs((DIGITS / "digits.tflite").read_bytes())
    )
    pooling = schema.BuiltinOperator.MAX_POOL_2D
    (code,) = (code for code in model.operatorCodes if code.builtinCode == pooling)
    code.builtinCode = code.deprecatedBuiltinCode = L2_POOL_2D
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    path = folder / "l2.tflite"
    path.write_bytes(builder.Output())
    return path
