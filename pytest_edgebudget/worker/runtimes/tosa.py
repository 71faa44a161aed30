"""
The TOSA reference model, the distribution tosa-tools: an Ethos-U's arithmetic by definition.

A `.tflite` becomes TOSA (tosa-converter-for-tflite), of which the reference
model computes one inference in a process of its own. Free dimensions are 1:
the reference model takes none.
"""

from __future__ import annotations

import ctypes
import re
import signal
import subprocess
from collections.abc import Callable, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np

from ..refusal import Refusal, not_imported
from .base import Array, Port, default_shape
from .tflm_names import Names

TYPES = {
    0: "float32",
    1: "float16",
    2: "int32",
    3: "uint8",
    4: "int64",
    6: "bool",
    7: "int16",
    9: "int8",
}
"""TensorType of the `.tflite` schema, and numpy's names."""

SERIALIZE = ("--tosa-convert-integer-type-to-signless", "--tosa-serialize")


def open_runtime() -> TosaRuntime:
    """Import the converter, and find the programs."""
    try:
        import tflite
        import tosa_converter_for_tflite as converter
    except ImportError as error:
        raise not_imported("tosa-converter-for-tflite", error) from error
    return TosaRuntime(tflite, converter)


class TosaRuntime:
    """The imported libraries and programs; see `base.Runtime`. It has one thread."""

    name = "tosa"
    warm_model = "warm.tflite"
    keeps_state = False

    def __init__(self, schema: Any, converter: Any) -> None:
        tools = distribution("tosa-tools")
        self.version = tools.version
        self._programs = Path(str(tools.locate_file("bin")))
        self._schema = schema
        self._converter = converter
        self._loaded = 0

    def load(self, path: str, threads: int) -> TosaModel:
        """Convert; files are in the worker's own folder."""
        del threads
        file = self._schema.Model.GetRootAsModel(Path(path).read_bytes(), 0)
        ports = _ports(file)
        self._loaded += 1
        folder = Path(f"tosa-{self._loaded}")
        folder.mkdir()
        self._convert(path, folder)
        return TosaModel(self._programs, folder, *ports)

    def _convert(self, path: str, folder: Path) -> None:
        text = folder / "model.mlir"
        try:
            self._converter.tflite_flatbuffer_to_tosa_mlir(
                path, str(text), self._converter.TosaConverterOutputFormat.Text
            )
        except Exception as error:  # whatever it raises, it is its answer
            raise Refusal("model", f"TOSA takes not all of the model: {_line(error)}") from error
        text.write_text(_static(text.read_text(encoding="utf-8")), encoding="utf-8")
        out = f"--tosa-flatbuffer-filename={folder / 'model.tosa'}"
        call([self._programs / "tosa-opt", *SERIALIZE, out, text], folder / "said.txt")


class TosaModel:
    """A model as TOSA; see `base.Model`."""

    def __init__(
        self, programs: Path, folder: Path, inputs: Sequence[Port], outputs: Sequence[Port]
    ) -> None:
        self.inputs, self.outputs = inputs, outputs
        self._folder = folder
        for index, port in enumerate(inputs):
            self.set_input(index, np.zeros(default_shape(port.shape), port.dtype))
        self._command: list[str | Path] = [
            programs / "tosa_reference_model",
            f"--operator_fbs={programs / 'tosa.fbs'}",
            f"--tosa_file={folder / 'model.tosa'}",
            f"--ifm_name={_names('TosaInput', len(inputs))}",
            f"--ifm_file={','.join(self._files('in', inputs))}",
            f"--ofm_name={_names('TosaOutput', len(outputs))}",
            f"--ofm_file={','.join(self._files('out', outputs))}",
        ]

    def _files(self, kind: str, ports: Sequence[Port]) -> list[str]:
        return [str(self._folder / f"{kind}{index}.npy") for index in range(len(ports))]

    @property
    def invoke(self) -> Callable[[], Any]:
        """Compute once, in a process."""
        return lambda: call(self._command, self._folder / "said.txt")

    def set_input(self, index: int, value: Array) -> None:
        """Put *value* in place."""
        np.save(self._folder / f"in{index}.npy", value)

    def output(self, index: int) -> Array:
        """An output of the last invoke."""
        value: Array = np.load(self._folder / f"out{index}.npy")
        return value.astype(self.outputs[index].dtype, copy=False)

    def reset(self) -> None:
        """It has no state."""


def call(command: Sequence[str | Path], said: Path) -> None:
    """Run a program; Refusal with its last words where it fails."""
    with said.open("wb") as log:
        status = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_end_with_us,
            check=False,
        ).returncode  # fmt: skip
    if status:
        words = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        name = Path(command[0]).name
        raise Refusal("model", f"{name} ended with {status}: {' '.join(words[-3:])[:500]}")


def _end_with_us() -> None:
    """A program that the worker has started ends with it (prctl(2), PR_SET_PDEATHSIG)."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(1, int(signal.SIGKILL))


def _static(text: str) -> str:
    """The same program for a batch of one: the converter leaves free sizes open."""
    lines = []
    for line in text.splitlines():
        found = re.sub(r"(tensor<|x)\?(?=x)", r"\g<1>1", line)
        lines.append(re.sub(r"-1\b", "1", found) if "tosa.const_shape" in found else found)
    return "\n".join(lines) + "\n"


def _names(kind: str, count: int) -> str:
    return ",".join(f"{kind}_{index}" for index in range(count))


def _ports(file: Any) -> tuple[list[Port], list[Port]]:
    names, graph = Names(file), file.Subgraphs(0)
    inputs = [_port(graph.Tensors(graph.Inputs(i)), *names.input(i)) for i in range(names.inputs)]
    outputs = [
        _port(graph.Tensors(graph.Outputs(i)), *names.output(i)) for i in range(names.outputs)
    ]
    return inputs, outputs


def _port(tensor: Any, name: str, own: str) -> Port:
    kind = TYPES.get(tensor.Type())
    if kind is None:
        raise Refusal("model", f"{own} is of a type that TOSA's tools do not take")
    shape = [int(tensor.ShapeSignature(i)) for i in range(tensor.ShapeSignatureLength())]
    shape = shape or [int(tensor.Shape(i)) for i in range(tensor.ShapeLength())]
    numbers = tensor.Quantization()
    scaled = numbers is not None and numbers.ScaleLength() > 0
    return Port(
        name=name,
        tensor=own,
        shape=tuple(shape),
        dtype=kind,
        scale=float(numbers.Scale(0)) if scaled else 0.0,
        zero_point=int(numbers.ZeroPoint(0)) if scaled and numbers.ZeroPointLength() else 0,
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:500] or type(error).__name__
