"""
Where LiteRT keeps each tensor of a subgraph: not all of them lie in the arena.

A kernel decides that when it prepares: outputs that are known by then are
computed at once and kept for good, outputs whose size is not known by then are
allocated on the heap when the op runs.

Source: `Prepare` of each kernel in tflite/kernels of LiteRT (SetTensorToDynamic,
SetTensorToPersistentRo, kTfLiteArenaRwPersistent).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pytest_edgebudget.graph.dtypes import BITS
from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor
from pytest_edgebudget.graph.memory_sizes import elements


class Home(Enum):
    """A kind of memory (TfLiteAllocationType)."""

    ARENA = "arena"
    READ_ONLY = "read-only"  # in the file, or computed once when ops are prepared
    PERSISTENT = "persistent"  # an arena of its own: variables, dequantized weights
    HEAP = "heap"  # of a size that is known only when the op has run
    CALLER = "caller"  # of a called subgraph: the memory of the op that calls it


_KNOWN = frozenset({"SHAPE", "RANK"})
"""The output is known as soon as the shapes are."""

_FOLDED = frozenset(
    "BROADCAST_ARGS CONCATENATION GATHER MUL RANGE RESHAPE STRIDED_SLICE TILE".split()  # noqa: SIM905
)
"""Computed when all inputs are known."""

MOST_FOLDED = 8
"""REDUCE_PROD folds up to so many elements (kMaxConstantOutputTensorSize)."""

_UNPACKED = frozenset({"DENSIFY", "DEQUANTIZE"})
"""The output is kept for good when the input is a constant of the file."""

_SHAPED_BY: Mapping[str, tuple[int, ...]] = {
    "ARG_MAX": (1,),
    "ARG_MIN": (1,),
    "BATCH_TO_SPACE_ND": (1, 2),
    "BROADCAST_TO": (1,),
    "CONV_3D_TRANSPOSE": (0,),
    "EXPAND_DIMS": (1,),
    "FILL": (0,),
    "MEAN": (1,),
    "MIRROR_PAD": (1,),
    "ONE_HOT": (1,),
    "PAD": (1,),
    "PADV2": (1,),
    "RANGE": (0, 1, 2),
    "REDUCE_ALL": (1,),
    "REDUCE_ANY": (1,),
    "REDUCE_MAX": (1,),
    "REDUCE_MIN": (1,),
    "REDUCE_PROD": (1,),
    "RESIZE_BILINEAR": (1,),
    "RESIZE_NEAREST_NEIGHBOR": (1,),
    "SCATTER_ND": (2,),
    "SPACE_TO_BATCH_ND": (1, 2),
    "SPLIT": (0,),
    "SPLIT_V": (1, 2),
    "STRIDED_SLICE": (1, 2, 3),
    "SUM": (1,),
    "TILE": (1,),
    "TOPK_V2": (1,),
    "TRANSPOSE": (1,),
    "TRANSPOSE_CONV": (0,),
}
"""Inputs whose values decide on the size of the outputs."""

_ALWAYS_HEAP = frozenset({"SEGMENT_SUM", "UNIQUE", "WHERE"})

_HANDLES = ("resource", "variant")


@dataclass(frozen=True, slots=True)
class Homes:
    """
    Where tensors are, and when that is known.

    *of*: the home of each tensor. *late*: the ops behind which preparing stops
    until they have run; what comes behind is placed then, around what is there
    already. *early*: the homes that are known at the first stop.
    """

    of: Sequence[Home]
    early: Sequence[Home]
    late: frozenset[int]


def homes(
    subgraph: Subgraph,
    *,
    lent: Iterable[int] = (),
    growing: Iterable[int] = (),
    idle: Iterable[int] = (),
) -> Homes:
    """
    Where the tensors of a subgraph are.

    *lent*: inputs for which the caller has memory; *growing*: ops that call
    subgraphs whose outputs have no fixed size; *idle*: outputs of such ops that
    nobody reads, which keep a place in the arena.
    """
    found = [_own(tensor) for tensor in subgraph.tensors]
    for index in lent:
        if found[index] is Home.ARENA:
            found[index] = Home.CALLER
    grown, early = frozenset(growing), found
    late: set[int] = set()
    unread = frozenset(idle)
    for number, op in enumerate(subgraph.ops):
        home = Home.HEAP if number in grown else _of_outputs(op, subgraph.tensors, found)
        outputs = [index for index in op.outputs if index >= 0 and index not in unread]
        for index in outputs:
            if found[index] is Home.ARENA:
                found[index] = home
        sized = (i for i in outputs if subgraph.tensors[i].dtype not in _HANDLES)
        if _reshaped_late(op, found) or any(found[i] is Home.HEAP for i in sized):
            early = early if late else [*found]
            late.add(number)
    return Homes(found, early, frozenset(late))


def _reshaped_late(op: Op, found: Sequence[Home]) -> bool:
    """A RESHAPE whose shape is computed: its bytes are known, they are those of its input."""
    if op.kind != "RESHAPE" or len(op.inputs) < 2 or op.inputs[1] < 0:
        return False
    return found[op.inputs[1]] is not Home.READ_ONLY


def _own(tensor: Tensor) -> Home:
    """What the file alone says of a tensor."""
    if tensor.data is not None:
        return Home.READ_ONLY
    if tensor.variable:
        return Home.PERSISTENT
    return Home.ARENA if tensor.dtype in BITS else Home.HEAP  # string, resource, variant


def _of_outputs(op: Op, tensors: Sequence[Tensor], found: Sequence[Home]) -> Home:
    """Where the outputs of *op* go, unless the file says it."""
    inputs = [found[index] for index in op.inputs if index >= 0]
    known = all(home is Home.READ_ONLY for home in inputs)
    if op.kind in _KNOWN or (known and _folds(op, tensors)):
        return Home.READ_ONLY
    if op.kind in _UNPACKED and op.inputs and tensors[op.inputs[0]].data is not None:
        return Home.PERSISTENT
    if op.kind in _ALWAYS_HEAP or _waits(op, tensors, found):
        return Home.HEAP
    for position in _SHAPED_BY.get(op.kind, ()):
        index = op.inputs[position] if position < len(op.inputs) else -1
        if index >= 0 and found[index] is not Home.READ_ONLY:
            return Home.HEAP
    return Home.ARENA


def _waits(op: Op, tensors: Sequence[Tensor], found: Sequence[Home]) -> bool:
    """Whether an op makes no output before it runs, because a dimension is open."""
    if op.kind == "READ_VARIABLE":
        return _open(op.outputs, tensors)
    if op.kind == "TOPK_V2":
        return _open(op.inputs, tensors)
    if op.kind != "SLICE" or not op.outputs or op.outputs[0] < 0:
        return False
    if tensors[op.outputs[0]].shape and not _open(op.outputs, tensors):
        return False  # the file says it, and is believed
    computed = any(index >= 0 and found[index] is not Home.READ_ONLY for index in op.inputs[1:])
    return computed or _open(op.inputs, tensors)


def _open(indices: Sequence[int], tensors: Sequence[Tensor]) -> bool:
    """Whether the first tensor has an open dimension."""
    index = indices[0] if indices else -1
    return index >= 0 and tensors[index].default_shape is not None


def _folds(op: Op, tensors: Sequence[Tensor]) -> bool:
    if op.kind == "REDUCE_PROD":
        return bool(op.outputs) and elements(tensors[op.outputs[0]]) <= MOST_FOLDED
    return op.kind in _FOLDED and bool(op.inputs)
