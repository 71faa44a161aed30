"""
The ops that an onnxruntime session runs, even without optimizations.

Constants are values by then, and each reader of a dequantized tensor gets a
DequantizeLinear of its own.

Source: onnxruntime/core/graph/graph.cc (Constant nodes become initializers) and
core/optimizer/qdq_transformer/ensure_unique_dq_for_node_unit.cc, which is
always on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_edgebudget.graph.ir import Op, Subgraph

_DEQUANTIZE = ("DequantizeLinear", "com.microsoft:DequantizeLinear")


@dataclass(frozen=True, slots=True)
class Session:
    """
    What runs.

    *subgraph* holds the ops in the order of their node numbers, and tensors of
    copied ops behind the file's own; *ops* and *tensors* say which op and which
    tensor of the file each one is.
    """

    subgraph: Subgraph
    ops: tuple[int, ...]
    tensors: tuple[int, ...]


def session(subgraph: Subgraph) -> Session:
    """The main graph as a session without optimizations has it."""
    made = _Copies(subgraph)
    for number, op in enumerate(subgraph.ops):
        if op.kind in _DEQUANTIZE and op.outputs and op.outputs[0] not in subgraph.outputs:
            made.copy_for_readers(number, op)
    made.rewire()
    kept = [n for n in range(len(made.ops)) if made.ops[n].kind != "Constant"]
    tensors = tuple(subgraph.tensors[index] for index in made.tensors)
    ops = tuple(made.ops[n] for n in kept)
    return Session(
        subgraph=replace(subgraph, tensors=tensors, ops=ops),
        ops=tuple(made.numbers[n] for n in kept),
        tensors=tuple(made.tensors),
    )


class _Copies:
    """The ops and tensors, with copies behind them."""

    def __init__(self, subgraph: Subgraph) -> None:
        self.ops: list[Op] = list(subgraph.ops)
        self.numbers = list(range(len(subgraph.ops)))
        self.tensors = list(range(len(subgraph.tensors)))
        self._read: dict[int, dict[int, int]] = {}
        self._readers: dict[int, list[tuple[int, int]]] = {}
        for number, op in enumerate(subgraph.ops):
            for position, index in enumerate(op.inputs):
                self._readers.setdefault(index, []).append((number, position))

    def copy_for_readers(self, number: int, op: Op) -> None:
        """The first reader keeps the op; each other one gets a copy."""
        for reader, position in self._readers.get(op.outputs[0], [])[1:]:
            output = len(self.tensors)
            self.tensors.append(op.outputs[0])
            self.ops.append(replace(op, outputs=(output,)))
            self.numbers.append(number)
            self._read.setdefault(reader, {})[position] = output

    def rewire(self) -> None:
        """Let the readers read the copies."""
        for reader, changed in self._read.items():
            inputs = enumerate(self.ops[reader].inputs)
            now = tuple(changed.get(position, index) for position, index in inputs)
            self.ops[reader] = replace(self.ops[reader], inputs=now)
