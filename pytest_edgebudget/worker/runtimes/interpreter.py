"""The Interpreter interface that ai-edge-litert and tflite-runtime share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .base import Array, Port, free_shape


class InterpreterRuntime:
    """A module with an ``Interpreter`` class: the XNNPACK delegate as it is by default."""

    warm_model = "warm.tflite"
    keeps_state = True

    def __init__(self, name: str, version: str, interpreter: Callable[..., Any]) -> None:
        self.name = name
        self.version = version
        self._interpreter = interpreter

    def load(self, path: str, threads: int) -> InterpreterModel:
        """Map the file, plan and allocate."""
        return InterpreterModel(lambda: self._interpreter(model_path=path, num_threads=threads))


class InterpreterModel:
    """A `.tflite` model in an Interpreter; see `base.Model`."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._start()
        signature = _signature(self._interpreter)
        self.inputs = ports(self._interpreter.get_input_details(), signature.get("inputs", {}))
        self.outputs = ports(self._interpreter.get_output_details(), signature.get("outputs", {}))
        self._resources = _has_resource_variables(self._interpreter)

    def _start(self) -> None:
        self._interpreter = self._make()
        self._interpreter.allocate_tensors()
        self.invoke: Callable[[], Any] = self._interpreter.invoke
        self._inputs = [_index(d) for d in self._interpreter.get_input_details()]
        self._outputs = [_index(d) for d in self._interpreter.get_output_details()]
        for index in self._inputs:
            self._interpreter.set_tensor(index, np.zeros_like(self._interpreter.get_tensor(index)))

    def set_input(self, index: int, value: Array) -> None:
        """Copy *value* into place; a free dimension takes its size from it."""
        tensor = self._inputs[index]
        details = self._interpreter.get_input_details()[index]
        if tuple(details["shape"]) != value.shape:
            self._interpreter.resize_tensor_input(tensor, value.shape)
            self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(tensor, value)

    def output(self, index: int) -> Array:
        """A copy of an output."""
        value: Array = self._interpreter.get_tensor(self._outputs[index])
        return value

    def reset(self) -> None:
        """
        Forget the state.

        ``reset_all_variables`` clears variable tensors (LSTM state) only;
        resource variables live as long as their interpreter.
        """
        if self._resources:
            self._start()
        else:
            self._interpreter.reset_all_variables()


def _index(details: Mapping[str, Any]) -> int:
    return int(details["index"])


def ports(details: Sequence[Mapping[str, Any]], names: Mapping[str, int]) -> list[Port]:
    """Tensors by the interpreter's *details*, named as a signature names their numbers."""
    by_tensor = {index: name for name, index in names.items()}
    return [_port(each, by_tensor.get(_index(each), each["name"])) for each in details]


def _port(details: Mapping[str, Any], name: str) -> Port:
    scale, zero_point = details["quantization"]
    return Port(
        name=name,
        tensor=details["name"],
        shape=free_shape(details.get("shape_signature", details["shape"])),
        dtype=np.dtype(details["dtype"]).name,
        scale=float(scale),
        zero_point=int(zero_point),
    )


def _signature(interpreter: Any) -> Mapping[str, Mapping[str, int]]:
    """
    Names and tensors of the model's signature; empty where it has none.

    Asked of the interpreter's own table: a signature runner would allocate.
    """
    signatures: dict[str, dict[str, dict[str, int]]] = interpreter._get_full_signature_list()
    first = next(iter(signatures.values()), {})
    chosen = signatures.get("serving_default", first)
    inputs = {_index(details) for details in interpreter.get_input_details()}
    # A signature of another subgraph numbers other tensors.
    matches = set(chosen.get("inputs", {}).values()) == inputs
    return chosen if matches else {}


def _has_resource_variables(interpreter: Any) -> bool:
    return any(op["op_name"] == "VAR_HANDLE" for op in interpreter._get_ops_details())
