"""Samples of a data file as the bytes of a program's inputs, and its answers as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pytest_edgebudget.devices.base import Samples
from pytest_edgebudget.devices.cortex_m.generator import Program, Slot
from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import Array
from pytest_edgebudget.graph.ir import Graph
from pytest_edgebudget.worker.refusal import Refusal
from pytest_edgebudget.worker.runtimes.base import Port
from pytest_edgebudget.worker.samples import from_outputs, read_inputs, spread, to_input


def ports(graph: Graph, program: Program) -> tuple[list[Port], list[Port]]:
    """Inputs and outputs, by their names in the signature or else the tensors'."""
    into, out_of = graph.signature or ({}, {})
    return (
        _ports(program.inputs, graph.main.inputs, into),
        _ports(program.outputs, graph.main.outputs, out_of),
    )


def _ports(slots: Sequence[Slot], indices: Sequence[int], names: Mapping[str, int]) -> list[Port]:
    by_tensor = {index: name for name, index in names.items()}
    return [
        _port(slot, by_tensor.get(index, slot.tensor.name))
        for slot, index in zip(slots, indices, strict=True)
    ]


def _port(slot: Slot, name: str) -> Port:
    tensor = slot.tensor
    steps = tensor.quantization if tensor.dtype == "int8" else None
    return Port(
        name=name,
        tensor=tensor.name,
        shape=tensor.default_shape or tensor.shape or (),
        dtype=tensor.dtype,
        scale=steps.scales[0] if steps and steps.scales else 0.0,
        zero_point=steps.zero_points[0] if steps and steps.zero_points else 0,
    )


def inputs_of(samples: Samples, inputs: Sequence[Port]) -> list[bytes]:
    """
    The bytes of all inputs, for each sample.

    Raises ModelError where the data do not fit the model.
    """
    try:
        arrays = [
            spread(each, samples.first)
            for each in read_inputs(str(samples.path), samples.split, inputs)
        ]
        if not len(arrays[0]):
            raise Refusal("data", f"x_{samples.split} holds no samples")
        return [_sample(arrays, index, inputs) for index in range(len(arrays[0]))]
    except Refusal as refusal:
        raise ModelError(str(refusal), refusal.hint) from None


def _sample(arrays: Sequence[Array], index: int, inputs: Sequence[Port]) -> bytes:
    pairs = zip(arrays, inputs, strict=True)
    return b"".join(to_input(array[index], port).tobytes() for array, port in pairs)


def arrays_of(answers: Sequence[bytes], outputs: Sequence[Port]) -> dict[str, Array]:
    """Each output of all samples, as real values, by its number."""
    found, offset = {}, 0
    for number, port in enumerate(outputs):
        count = int(np.prod(port.shape))
        values = [np.frombuffer(answer, port.dtype, count, offset) for answer in answers]
        found[str(number)] = from_outputs([value.reshape(port.shape) for value in values], port)
        offset += count * np.dtype(port.dtype).itemsize
    return found
