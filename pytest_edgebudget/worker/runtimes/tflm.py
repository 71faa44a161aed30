"""
TensorFlow Lite Micro, the distribution tflite-micro: the reference kernels, built for x86-64.

It says why it refuses a model on stderr alone, so that is heard. Whatever it
cannot do well may crash it: an optional input that is left out of an SVDF, an
arena that is a little too small.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ..arena import smallest_that_runs
from ..hearing import hearing
from ..refusal import Refusal, not_imported
from .base import Array, Port
from .tflm_names import Names

AMPLE = 1 << 28
"""Bytes of an arena that is large enough. Its pages cost nothing until they are touched."""

_HINTS = {
    "Hybrid models": "int8 makes all of it integers; without quantization all of it stays float",
    "Didn't find op": "the runtime has no such operator; another layer may do its work",
    "Failed to": f"the arena has {AMPLE >> 20} MiB: no microcontroller has more",
}


def open_runtime() -> MicroRuntime:
    """Import TensorFlow Lite Micro."""
    try:
        from tflite_micro.python.tflite_micro import runtime
        from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema
    except ImportError as error:
        raise not_imported("tflite-micro", error) from error
    return MicroRuntime(runtime.Interpreter.from_bytes, schema)


class MicroRuntime:
    """The imported library; see `base.Runtime`. It has one thread."""

    name = "tflm"
    warm_model = "warm.tflite"
    keeps_state = True

    def __init__(self, interpreter: Callable[..., Any], schema: Any) -> None:
        self.version = version("tflite-micro")
        self._interpreter = interpreter
        self._schema = schema

    def load(self, path: str, threads: int) -> MicroModel:
        """Read the file, plan and allocate in an ample arena."""
        del threads
        content = Path(path).read_bytes()
        file = self._schema.Model.GetRootAsModel(content, 0)
        resources = _resources(file, self._schema.BuiltinOperator.VAR_HANDLE)
        return MicroModel(lambda: self._start(content, AMPLE), Names(file), resources)

    def arena(self, path: str, progress: Callable[[str], None]) -> dict[str, int]:
        """See `base.Arenas`."""
        content = Path(path).read_bytes()
        with hearing() as heard:
            self._start(content, AMPLE).print_allocations()
            head, tail = allocated(heard())
        inputs = self._schema.Model.GetRootAsModel(content, 0).Subgraphs(0).InputsLength()

        def run(size: int) -> None:
            interpreter = self._start(content, size)
            put_zeros(interpreter, inputs)
            interpreter.invoke()

        smallest = smallest_that_runs(run, head + tail, AMPLE, progress)
        return {"smallest": smallest, "head": head, "tail": tail}

    def _start(self, content: bytes, arena: int) -> Any:
        """An interpreter in an arena of so many bytes; Refusal with the runtime's own words."""
        with hearing() as heard:
            try:
                return self._interpreter(content, arena_size=arena)
            except RuntimeError as error:
                said = heard() or str(error)
                message = f"{self.name} {self.version} refuses the model: {in_words(said)}"
                raise Refusal("model", message, _hint(said)) from error


class MicroModel:
    """A `.tflite` model in TensorFlow Lite Micro; see `base.Model`."""

    def __init__(self, make: Callable[[], Any], names: Names, resources: bool) -> None:
        self._make = make
        self._resources = resources
        self._interpreter = make()
        self.inputs = [
            _port(self._interpreter.get_input_details(index), *names.input(index))
            for index in range(names.inputs)
        ]
        self.outputs = [
            _port(self._interpreter.get_output_details(index), *names.output(index))
            for index in range(names.outputs)
        ]
        put_zeros(self._interpreter, names.inputs)

    def invoke(self) -> None:
        """Run once. An input is no longer there afterwards: its memory is used again."""
        try:
            self._interpreter.invoke()
        except RuntimeError as error:
            raise RuntimeError(self._reason() or str(error)) from error

    def _reason(self) -> str:
        """What the runtime says when it fails; it is asked to do it again."""
        with hearing() as heard:
            try:
                self._interpreter.invoke()
            except RuntimeError:
                return in_words(heard())
        return ""

    def set_input(self, index: int, value: Array) -> None:
        """Copy *value* into place."""
        self._interpreter.set_input(value, index)

    def output(self, index: int) -> Array:
        """A copy of an output; before the first invoke it would be what lay in the arena."""
        value: Array = self._interpreter.get_output(index)
        return value

    def reset(self) -> None:
        """
        Forget the state.

        The runtime's own reset clears variable tensors (SVDF, LSTM) and leaves
        resource variables as they are: those live as long as their interpreter.
        """
        if self._resources:
            self._interpreter = self._make()
        else:
            self._interpreter.reset()


def put_zeros(interpreter: Any, inputs: int) -> None:
    """Zeros into all inputs: an arena holds whatever lay in that memory before."""
    for index in range(inputs):
        details = interpreter.get_input_details(index)
        interpreter.set_input(np.zeros(details["shape"], details["dtype"]), index)


def _resources(file: Any, kind: int) -> bool:
    """Whether the model keeps resource variables."""
    codes = (file.OperatorCodes(index) for index in range(file.OperatorCodesLength()))
    return any(code.BuiltinCode() == kind for code in codes)


def _port(details: Mapping[str, Any], name: str, tensor: str) -> Port:
    scales = details["quantization_parameters"]["scales"]
    zeros = details["quantization_parameters"]["zero_points"]
    return Port(
        name=name,
        tensor=tensor,
        shape=tuple(int(size) for size in details["shape"]),
        dtype=np.dtype(details["dtype"]).name,
        scale=float(scales[0]) if len(scales) else 0.0,
        zero_point=int(zeros[0]) if len(zeros) else 0,
    )


def allocated(said: str) -> tuple[int, int]:
    """Bytes of the planned and of the persistent part, by what print_allocations wrote."""
    head, tail = (re.search(rf"allocation {part} (\d+) bytes", said) for part in ("head", "tail"))
    if head is None or tail is None:
        raise Refusal("runtime", "this release of tflite-micro does not tell its allocations")
    return int(head[1]), int(tail[1])


def in_words(said: str) -> str:
    """What the runtime wrote, without the paths of its source, in one line."""
    lines = (re.sub(r"^\S+\.(?:cc|h)[ :]+(?:\d+ )?", "", line) for line in said.splitlines())
    return "; ".join(dict.fromkeys(line.strip().rstrip(".") for line in lines if line.strip()))


def _hint(said: str) -> str:
    return next((hint for start, hint in _HINTS.items() if start in said), "")
