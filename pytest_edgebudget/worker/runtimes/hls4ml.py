"""
Models that hls4ml wrote in C++ and a compiler made a library of: as the FPGA computes.

Next to the library lie ``ports.json`` (names and shapes) and ``weights``. A
`.keras` file is run by Keras itself, in float: the source that others are
compared with.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ..refusal import Refusal, not_imported
from .base import Array, Port


def open_runtime() -> Hls4ml:
    """Nothing is imported: a library stands alone."""
    return Hls4ml()


class Hls4ml:
    """Libraries of hls4ml's C++, and Keras for what is not fixed-point; see `base.Runtime`."""

    name = "hls4ml"
    warm_model = ""  # its memory says nothing about an FPGA, and is never weighed
    keeps_state = False

    def __init__(self) -> None:
        self.version = version("hls4ml")

    def load(self, path: str, threads: int) -> LibraryModel | KerasModel:
        """Load a library, or a Keras model."""
        del threads
        return KerasModel(path) if path.endswith(".keras") else LibraryModel(Path(path))


class _Arrays:
    """Inputs in place and the outputs of the last run."""

    def __init__(self, inputs: Sequence[Port], outputs: Sequence[Port]) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self._values = [np.zeros(port.shape, port.dtype) for port in inputs]
        self._answers = [np.zeros(port.shape, port.dtype) for port in outputs]

    def set_input(self, index: int, value: Array) -> None:
        """Copy *value* into place."""
        np.copyto(self._values[index], value)

    def output(self, index: int) -> Array:
        """A copy of an output."""
        value: Array = self._answers[index].copy()
        return value

    def reset(self) -> None:
        """Nothing: no state is kept."""


class LibraryModel(_Arrays):
    """
    A compiled model; see `base.Model`.

    Double precision at both ends holds each fixed-point number of up to 53 bits.
    """

    def __init__(self, path: Path) -> None:
        ports = json.loads((path.parent / "ports.json").read_text(encoding="utf-8"))
        super().__init__(_ports(ports["inputs"], "float64"), _ports(ports["outputs"], "float64"))
        library = ctypes.CDLL(str(path))
        library.edgebudget_weights(str(path.parent / "weights").encode())
        self._call = library.myproject_double
        self._pointers = [
            array.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
            for array in (*self._values, *self._answers)
        ]

    def invoke(self) -> None:
        """Run once."""
        self._call(*self._pointers)


class KerasModel(_Arrays):
    """A Keras model in float; see `base.Model`."""

    def __init__(self, path: str) -> None:
        try:
            import keras
        except ImportError as error:
            raise not_imported("keras", error) from error
        self._model = keras.saving.load_model(path, compile=False)
        outputs = getattr(self._model, "output_names", None) or [self._model.layers[-1].name]
        super().__init__(
            [_port(tensor.name, tensor) for tensor in self._model.inputs],
            [_port(outputs[i], tensor) for i, tensor in enumerate(self._model.outputs)],
        )

    def invoke(self) -> None:
        """Run once."""
        values = self._values[0] if len(self._values) == 1 else list(self._values)
        answers = self._model.predict_on_batch(values)
        several = answers if isinstance(answers, (list, tuple)) else [answers]
        for index, answer in enumerate(several):
            np.copyto(self._answers[index], answer)


def _ports(described: Sequence[Mapping[str, Any]], dtype: str) -> list[Port]:
    return [Port(each["name"], each["name"], tuple(each["shape"]), dtype) for each in described]


def _port(name: str, tensor: Any) -> Port:
    if None in tensor.shape[1:]:
        raise Refusal("model", f"the shape of {name!r} is not fixed, and an FPGA's is")
    return Port(name, name, (1, *tensor.shape[1:]), str(np.dtype(tensor.dtype)))
