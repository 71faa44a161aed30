"""
From a fixed-point `.keras` file to a library that computes as the FPGA does.

Runs in a process of its own (`jobs.run`). hls4ml writes the C++ of the
firmware; the very source that becomes hardware is compiled by g++ with the
``ap_fixed`` types that hls4ml brings along (Apache-2.0, by Xilinx).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_edgebudget.devices.fpga.note import read_note
from pytest_edgebudget.errors import BuildError, MissingExtra, ModelError

COMPILER = "g++"
MISSING_COMPILER = "apt install g++"
FLAGS = ("-O1", "-std=c++17", "-fPIC", "-shared", "-fno-gnu-unique", "-w")
"""-O1: the library is loaded once or twice, and g++ -O3 takes twice as long."""

MEMORY = 8 << 30
"""Bytes that the compiler may take: an unrolled layer grows without a bound."""

LIBRARY = "model.so"
PORTS = "ports.json"
WEIGHTS = "weights"

# hls4ml's own source, but its weights are read from where the library lies.
_SOURCE = """\
#include <string>
static std::string edgebudget_folder;
#define WEIGHTS_DIR edgebudget_folder
#include "firmware/myproject.cpp"
#include "myproject_bridge.cpp"
extern "C" void edgebudget_weights(const char *folder) { edgebudget_folder = folder; }
"""


def compile_model(payload: Mapping[str, str]) -> list[str]:
    """
    Compile the model at *model* into the empty folder *out*.

    Returns the files that belong together, relative to *out*: the library,
    what its inputs and outputs are, the weights.

    Raises:
        ModelError: the file holds no precision, or hls4ml cannot convert it.
        BuildError: the compiler is not there, or fails.
    """
    out = Path(payload["out"])
    project = out / "project"
    model = Path(payload["model"])
    convert(model, project).write()
    (out / PORTS).write_text(json.dumps(describe(read_model(model))), encoding="utf-8")
    (project / "library.cpp").write_text(_SOURCE, encoding="utf-8")
    _compile(project, out / LIBRARY)
    (out / WEIGHTS).mkdir()
    for weights in (project / "firmware" / "weights").glob("*.txt"):
        weights.rename(out / WEIGHTS / weights.name)
    shutil.rmtree(project)
    files = (path for path in out.rglob("*") if path.is_file())
    return sorted(path.relative_to(out).as_posix() for path in files)


def read_model(path: Path) -> Any:
    """
    The Keras model at *path*.

    Raises:
        MissingExtra: Keras is not installed.
        ModelError: Keras cannot read it.
    """
    try:
        import keras
    except ModuleNotFoundError:
        raise MissingExtra("keras", "fpga", f"reading {path.name}") from None
    try:
        return keras.saving.load_model(str(path), compile=False)
    except Exception as error:  # Keras raises anything
        raise ModelError(
            f"Keras cannot read {path.name}: {_words(error)}",
            "layers of your own cannot be converted for an FPGA",
        ) from error


def convert(path: Path, project: Path) -> Any:
    """
    hls4ml's graph of the fixed-point model at *path*, for the folder *project*.

    Raises:
        MissingExtra: hls4ml or Keras is not installed.
        ModelError: the file holds no precision, or hls4ml cannot convert it.
    """
    note = read_note(path)
    if note is None:
        raise ModelError(
            f"{path.name} holds no precision", 'write optimize = ["fixed_point(16, 6)"]'
        )
    try:
        import hls4ml
    except ModuleNotFoundError:
        raise MissingExtra("hls4ml", "fpga", f"converting {path.name}") from None
    model = read_model(path)
    try:
        return hls4ml.converters.convert_from_keras_model(model, output_dir=str(project), **note)
    except Exception as error:  # what hls4ml does not know, it tells in any way
        raise ModelError(f"hls4ml cannot convert {path.name}: {_words(error)}") from error


def describe(model: Any) -> dict[str, list[dict[str, Any]]]:
    """The names and shapes of a Keras model's inputs and outputs, in its order."""
    inputs = [tensor.name for tensor in model.inputs]
    outputs = getattr(model, "output_names", None) or [model.layers[-1].name]  # Sequential
    return {
        "inputs": [_port(*pair) for pair in zip(inputs, model.inputs, strict=True)],
        "outputs": [_port(*pair) for pair in zip(outputs, model.outputs, strict=True)],
    }


def _port(name: str, tensor: Any) -> dict[str, Any]:
    return {"name": name, "shape": [1, *tensor.shape[1:]]}


def _compile(project: Path, library: Path) -> None:
    if shutil.which(COMPILER) is None:
        raise BuildError(f"{COMPILER} is not installed", MISSING_COMPILER)
    command = [COMPILER, *FLAGS, "-Ifirmware/ap_types", "-I.", "library.cpp", "-o", str(library)]
    # In the job's own process group: whoever ends the job ends the compiler.
    done = subprocess.run(
        command, cwd=project, capture_output=True, text=True, check=False, preexec_fn=_limit
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or ["no reason"]
        raise BuildError(f"{COMPILER} cannot compile the model: {lines[0][:300]}")


def _limit() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
