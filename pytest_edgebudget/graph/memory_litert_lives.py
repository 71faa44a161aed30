"""
Which node of a subgraph is the first and the last to need a tensor, and which share memory.

Source: tflite/arena_planner.cc of LiteRT (PlanAllocations, IdentifyInPlaceTensors)
and the `inplace_operator` of each kernel's registration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_edgebudget.graph.ir import Op, Subgraph
from pytest_edgebudget.graph.memory_litert_arena import NEVER
from pytest_edgebudget.graph.memory_litert_homes import Home, Homes

_OVERWRITES: Mapping[str, tuple[int, ...]] = {
    "ADD": (0, 1),
    "DIV": (0, 1),
    "DYNAMIC_UPDATE_SLICE": (0,),
    "MUL": (0, 1),
    "SOFTMAX": (0,),
    "SUB": (0, 1),
}
"""Inputs in whose memory the op may write its output."""

_KEEPS = frozenset({"BITCAST", "EXPAND_DIMS", "RESHAPE", "SQUEEZE"})
"""Ops whose output is their first input, byte for byte."""

_SCALAR = 4
"""kScalarTensorBytes: so small an input is not written over."""

UNUSED = -1


@dataclass(frozen=True, slots=True)
class Lives:
    """
    By tensor: *first* node (`UNUSED`: none), *last* node (`NEVER`: to the end).

    *roots*: for each tensor that lies in another's memory, that other.
    """

    first: Sequence[int]
    last: Sequence[int]
    roots: Mapping[int, int]


def lives(subgraph: Subgraph, inputs: Sequence[int], sizes: Sequence[int], where: Homes) -> Lives:
    """
    The nodes of each tensor.

    *inputs*: the inputs that are kept (all of the main subgraph's); *sizes*:
    bytes by tensor. As in the runtime, an output that nobody reads is never
    given back, and neither is an input or an output of the subgraph.
    """
    held = _references(subgraph, inputs)
    counts = list(held)
    for index in _read(subgraph.ops):
        counts[index] += 1
    roots = _sharing(subgraph, inputs, sizes, where.early, counts)
    for index in _read(subgraph.ops):
        held[roots.get(index, index)] += 1
    first, last = _nodes(subgraph, inputs, held, roots)
    same = {i: root for i, root in roots.items() if _same(i, root, sizes, where.of)}
    return Lives(first, last, same)


def _references(subgraph: Subgraph, inputs: Sequence[int]) -> list[int]:
    """One reference for each reason to keep a tensor to the end."""
    counts = [int(tensor.variable) for tensor in subgraph.tensors]
    for index in (*subgraph.outputs, *inputs):
        counts[index] += 1
    return counts


def _read(ops: Iterable[Op]) -> Iterable[int]:
    return (index for op in ops for index in op.inputs if index >= 0)


def _sharing(
    subgraph: Subgraph,
    inputs: Sequence[int],
    sizes: Sequence[int],
    where: Sequence[Home],
    counts: Sequence[int],
) -> dict[int, int]:
    roots: dict[int, int] = {}
    given, wanted = frozenset(inputs), frozenset(subgraph.outputs)
    for op in subgraph.ops:
        output = op.outputs[0] if op.outputs else -1
        if output < 0 or output in wanted:
            continue
        for index in _candidates(op, sizes, counts):
            if index not in given and where[index] in (Home.ARENA, where[output]):
                root = roots.get(index, index)
                # The kernel must not overwrite what others still read through the root.
                if op.kind in _KEEPS or counts[root] <= 1:
                    roots[output] = root
                break
    return roots


def _candidates(op: Op, sizes: Sequence[int], counts: Sequence[int]) -> Iterable[int]:
    """Inputs whose memory the first output may take."""
    if op.kind in _KEEPS:
        yield from (index for index in op.inputs[:1] if index >= 0)
    for position in _OVERWRITES.get(op.kind, ()):
        index = op.inputs[position] if position < len(op.inputs) else -1
        if index < 0 or counts[index] > 1:
            continue
        if sizes[index] == sizes[op.outputs[0]] and sizes[index] > _SCALAR:
            yield index


def _same(index: int, root: int, sizes: Sequence[int], where: Sequence[Home]) -> bool:
    """Whether the two really share: that is decided again when memory is given out."""
    return where[index] is where[root] is Home.ARENA and sizes[index] == sizes[root]


def _nodes(
    subgraph: Subgraph, inputs: Sequence[int], held: list[int], roots: Mapping[int, int]
) -> tuple[list[int], list[int]]:
    first = [0 if tensor.variable else UNUSED for tensor in subgraph.tensors]
    last = [NEVER] * len(subgraph.tensors)
    for index in inputs:
        first[index] = 0
    for node, op in enumerate(subgraph.ops):
        for index in op.outputs:
            if index >= 0 and first[index] == UNUSED:
                first[index] = node
        for index in op.inputs:
            if index < 0:
                continue
            root = roots.get(index, index)
            held[root] -= 1
            if held[root] == 0 and first[root] != UNUSED:
                last[root] = node
    return first, last
