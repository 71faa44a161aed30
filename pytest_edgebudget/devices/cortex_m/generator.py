"""
A model as C: one function a layer, its tensors in one arena, its weights in flash.

Nothing of the model's text is copied into the source: names in C are numbers.
The arena is that of TensorFlow Lite Micro's own planner (`graph.memory_tflm`),
checked before it is used, since a file may fix its offsets itself.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.cortex_m.layers import LAYERS, Call, Symbol, Unsupported, View
from pytest_edgebudget.devices.cortex_m.layers.view import content, size
from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.graph.ir import Graph, Op, Tensor
from pytest_edgebudget.graph.memory_tflm import ALIGNMENT, plan_tflm
from pytest_edgebudget.graph.verify import faults

_SHAPED = frozenset(("EXPAND_DIMS", "RESHAPE", "SQUEEZE"))
"""Whose other inputs say nothing that the shape of the output does not."""

SHOWN = 3
"""Kinds of operators that a message lists; an ellipsis stands for more."""
_CONVERTING = _SHAPED | {"DEQUANTIZE", "QUANTIZE"}
"""What may come in before, or go out behind, all that is computed with integers."""


@dataclass(frozen=True, slots=True)
class Slot:
    """An input or an output: *tensor* lies at *offset* of the arena, with *size* bytes."""

    tensor: Tensor
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """A layer: the operator's *name* and *kind*, and its bytes of *constants*."""

    name: str
    kind: str
    constants: int


@dataclass(frozen=True, slots=True)
class Program:
    """
    What `generate` makes.

    Attributes:
        source: C, to be compiled beside ``kernels.c`` and ``softmax.c``.
        assembly: names for what is in *data*, which it includes as ``weights.bin``.
        data: weights, biases, multipliers.
        arena: bytes.
        inputs, outputs: of the model.
        layers: in the order of execution, as ``edge_layers`` has them.
    """

    source: str
    assembly: str
    data: bytes = field(repr=False)
    arena: int
    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]
    layers: tuple[Part, ...]


def generate(graph: Graph) -> Program:
    """
    Compile *graph* to C.

    Raises:
        ModelError: it computes with floats, which another recipe would not.
        CannotTell: there is no C for one of its operators: all of them are
            named, with the reason.
    """
    if reason := _refusal(graph):
        raise _cannot(reason)
    if floats := _floats(graph):
        shown = ", ".join(floats[:SHOWN]) + ", ..." * (len(floats) > SHOWN)
        raise ModelError(
            f"it computes with floats ({shown}), and only int8 models are compiled to C",
            'int8 makes all of it integers; run = "tflm" runs floats, too',
        )
    places, arena = _places(graph)
    constants = _Constants()
    layers = _layers(graph, constants)
    try:
        inputs = tuple(_slot(graph, places, index) for index in graph.main.inputs)
        outputs = tuple(_slot(graph, places, index) for index in graph.main.outputs)
        writer = _Writer(graph.tensors, places, constants)
        source = writer.source([calls for _, calls in layers], arena)
    except Unsupported as error:
        raise _cannot(str(error)) from error
    return Program(
        source=source,
        assembly=constants.assembly(),
        data=bytes(constants.data),
        arena=arena,
        inputs=inputs,
        outputs=outputs,
        layers=tuple(part for part, _ in layers),
    )


def _cannot(reason: str) -> CannotTell:
    return CannotTell(
        f"the model is not compiled to C: {reason}",
        'run = "tflm" runs it in TensorFlow Lite Micro itself',
    )


def _refusal(graph: Graph) -> str:
    """What no part of the generator could do anything about."""
    if graph.format != "tflite":
        return f"it is no .tflite model but .{graph.format}"
    if len(graph.subgraphs) > 1:
        return "it has more than one subgraph"
    if any(tensor.variable for tensor in graph.tensors):
        return "it keeps state from one inference to the next"
    if not graph.ops or not graph.main.inputs:
        return "it has no operators" if not graph.ops else "it has no inputs"
    return ""


def _floats(graph: Graph) -> list[str]:
    """Kinds of operators that compute with floats."""
    ops = (op for op in _needed(graph) if op.kind not in _CONVERTING)
    found = {op.kind: None for op in ops if any(_is_float(graph, i) for i in op.outputs)}
    return list(found)


def _is_float(graph: Graph, index: int) -> bool:
    return index >= 0 and graph.tensors[index].dtype.startswith("float")


def _places(graph: Graph) -> tuple[Mapping[int, int], int]:
    """Offsets by tensor, and bytes of the arena."""
    plan = plan_tflm(graph)
    if wrong := faults(plan, ALIGNMENT):
        raise _cannot(f"its memory plan cannot be carried out: {wrong[0]}")
    found = {a.buffer.tensor: a.offset for a in plan.allocations if not a.buffer.scratch}
    return found, plan.size


def _layers(graph: Graph, constants: _Constants) -> list[tuple[Part, tuple[Call, ...]]]:
    found: list[tuple[Part, tuple[Call, ...]]] = []
    refused: dict[str, dict[str, None]] = {}  # kinds by reason, in order
    for op in _needed(graph):
        before = len(constants.data)
        try:
            calls = _calls(op, graph, constants)
        except Unsupported as error:
            refused.setdefault(str(error), {})[op.kind] = None
            continue
        found.append((Part(op.name, op.kind, len(constants.data) - before), calls))
    if refused:
        several = [f"{' and '.join(kinds)}: {reason}" for reason, kinds in refused.items()]
        raise _cannot("; ".join(several))
    return found


def _needed(graph: Graph) -> list[Op]:
    """
    The operators without those that only work out shapes.

    A converter computes the shape of a RESHAPE from the batch, which is known here.
    """
    wanted, found = set(graph.main.outputs), []
    for op in reversed(graph.ops):
        if wanted.intersection(op.outputs):
            found.append(op)
            wanted.update(op.inputs[:1] if op.kind in _SHAPED else op.inputs)
    return found[::-1]


def _calls(op: Op, graph: Graph, constants: _Constants) -> tuple[Call, ...]:
    if op.custom or op.kind not in LAYERS:
        raise Unsupported("the generator has no such layer")
    return LAYERS[op.kind](View(op, graph.tensors, constants.keep))


def _slot(graph: Graph, places: Mapping[int, int], index: int) -> Slot:
    tensor = graph.tensors[index]
    if index not in places:
        raise Unsupported(f"{tensor.name} goes in or comes out, and is a constant")
    return Slot(tensor, places[index], size(tensor))


class _Constants:
    """Bytes that go to flash, each under a name of its own, at multiples of 4."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._found: dict[bytes, Symbol] = {}
        self._places: list[tuple[Symbol, int]] = []

    def keep(self, data: bytes) -> Symbol:
        """The name of *data*; the same for the same bytes."""
        if data not in self._found:
            self.data.extend(bytes(-len(self.data) % 4))
            symbol = Symbol(f"edge_k{len(self._places)}")
            self._found[data] = symbol
            self._places.append((symbol, len(self.data)))
            self.data.extend(data)
        return self._found[data]

    @property
    def names(self) -> Iterator[str]:
        """All of them."""
        return (symbol.name for symbol, _ in self._places)

    def assembly(self) -> str:
        """For GNU as; the bytes themselves are in a file beside."""
        lines = ['.section .edge_weights,"a",%progbits', ".balign 4", "edge_weights:"]
        lines.append('.incbin "weights.bin"')
        for symbol, offset in self._places:
            lines.append(f".globl {symbol.name}\n.set {symbol.name}, edge_weights + {offset}")
        return "\n".join([*lines, '.section .note.GNU-stack,"",%progbits', ""])


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes C."""

    tensors: Sequence[Tensor]
    places: Mapping[int, int]
    constants: _Constants

    def source(self, layers: Sequence[Sequence[Call]], arena: int) -> str:
        """The whole file."""
        functions = [self._layer(number, calls) for number, calls in enumerate(layers)]
        declared = [f"extern const int8_t {name}[];" for name in self.constants.names]
        return "\n".join(
            [
                '#include "kernels.h"\n#include "program.h"\n',
                *declared,
                f"\nint8_t edge_arena[{max(arena, ALIGNMENT)}] __attribute__((aligned(16)));",
                *functions,
                f"\nvoid (*const edge_layers[{len(layers)}])(void) = {{",
                *(f"  layer_{number}," for number in range(len(layers))),
                "};",
                f"const int32_t edge_layer_count = {len(layers)};\n",
            ]
        )

    def _layer(self, number: int, calls: Sequence[Call]) -> str:
        structs, lines = [], []
        for index, call in enumerate(calls):
            name = f"fields_{number}_{index}"
            structs.append(f"\nstatic const {call.struct} {name} = {value_in_c(call.fields)};")
            inputs = ", ".join(self._address(each, 0) for each in call.inputs)
            output = self._address(call.output, call.offset)
            lines.append(f"  {call.function}(&{name}, {inputs}, {output});")
        body = "\n".join(lines)
        return "\n".join(structs) + f"\nstatic void layer_{number}(void) {{\n{body}\n}}"

    def _address(self, index: int, offset: int) -> str:
        tensor = self.tensors[index]
        if index in self.places:
            place = f"edge_arena + {self.places[index] + offset}"
        elif tensor.data is not None:
            place = self.constants.keep(content(tensor)).name
        else:
            raise Unsupported(f"{tensor.name} has no place in memory")
        return f"(void *)({place})"


def value_in_c(value: object) -> str:
    """An initializer: numbers, names of arrays, and tables of them."""
    if value is None:
        return "0"
    if isinstance(value, Symbol):
        return f"(const void *){value.name}"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f".{key} = {value_in_c(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "{" + ", ".join(value_in_c(each) for each in value) + "}"
    assert isinstance(value, int)
    return str(int(value)) if value > -(1 << 31) else "(-2147483647 - 1)"


def _float(value: float) -> str:
    """A float of 32 bits, exactly: as C's hexadecimal constant."""
    (rounded,) = struct.unpack("<f", struct.pack("<f", value))
    assert math.isfinite(rounded)
    return f"{rounded.hex()}f"
