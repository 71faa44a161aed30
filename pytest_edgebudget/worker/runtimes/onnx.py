"""ONNX Runtime on its CPU provider: sequential, with the threads that were asked for."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..acceleration import Acceleration, refuse
from ..refusal import Refusal, not_imported
from .base import Array, Port, Runtime, default_shape, free_shape

_DTYPES = {"float": "float32", "double": "float64"}


def open_runtime() -> OnnxRuntime:
    """Import ONNX Runtime."""
    return OnnxRuntime(_import())


def open_accelerated(acceleration: Acceleration) -> Runtime:
    """Import ONNX Runtime with one of its execution providers."""
    if acceleration.delegate:
        refuse(acceleration, "onnxruntime")
    from .onnx_accelerated import open_provider

    library = _import()
    return open_provider(OnnxRuntime(library), library, acceleration)


def _import() -> Any:
    # Before the import: it starts a thread, and a database in the user's home.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        raise not_imported("onnxruntime", error) from error
    onnxruntime.disable_telemetry_events()
    return onnxruntime


class OnnxRuntime:
    """The imported library; see `base.Runtime`."""

    name = "onnxruntime"
    warm_model = "warm.onnx"
    keeps_state = False

    def __init__(self, library: Any) -> None:
        self.version: str = library.__version__
        self._library = library

    def load(self, path: str, threads: int) -> OnnxModel:
        """Create a session and bind zeros to its inputs."""
        session = self._library.InferenceSession(
            path, sess_options=self._options(threads), providers=["CPUExecutionProvider"]
        )
        return OnnxModel(session)

    def _options(self, threads: int) -> Any:
        options = self._library.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = self._library.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        return options


class OnnxModel:
    """
    A session with its inputs bound to arrays of ours; see `base.Model`.

    Outputs are bound to the CPU, and allocated by the session's arena.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._binding = session.io_binding()
        self.inputs = [_port(each) for each in session.get_inputs()]
        self.outputs = [_port(each) for each in session.get_outputs()]
        self._buffers = [
            np.zeros(default_shape(port.shape), dtype=port.dtype) for port in self.inputs
        ]
        for index, port in enumerate(self.inputs):
            self._binding.bind_cpu_input(port.tensor, self._buffers[index])
        for port in self.outputs:
            self._binding.bind_output(port.tensor, "cpu")

    def invoke(self) -> None:
        """Run once, inputs in place."""
        self._session.run_with_iobinding(self._binding)

    def set_input(self, index: int, value: Array) -> None:
        """Copy *value* into the bound array; another shape binds another array."""
        buffer = self._buffers[index]
        if buffer.shape == value.shape:
            np.copyto(buffer, value)
            return
        self._buffers[index] = np.array(value, order="C")
        self._binding.bind_cpu_input(self.inputs[index].tensor, self._buffers[index])

    def output(self, index: int) -> Array:
        """A copy of an output: what the session hands out is a view of its own memory."""
        value: Array = np.array(self._binding.get_outputs()[index].numpy())
        return value

    def reset(self) -> None:
        """Nothing: an ONNX graph keeps no state."""


def _port(value: Any) -> Port:
    kind = value.type.removeprefix("tensor(").removesuffix(")")
    dtype = _DTYPES.get(kind, kind)
    try:
        np.dtype(dtype)
    except TypeError:
        raise Refusal("model", f"{value.name!r} is of type {value.type}, not of numbers") from None
    return Port(value.name, value.name, free_shape(value.shape), dtype)
