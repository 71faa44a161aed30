"""
Whether LiteRT would start with the sizes that the file gives for open dimensions.

A runtime computes the sizes of what ops make; the file's own number is mostly 1
for whatever the converter did not know. For an open batch of one sample that is
right, unless ops move elements into or out of the batch.
"""

from __future__ import annotations

from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor
from pytest_edgebudget.graph.memory_litert_temporary import tensor_bytes

OPEN = "the sizes of open tensors are other ones when the model runs"

_MOVES = frozenset({"BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND"})
_SAME_BYTES = frozenset({"EXPAND_DIMS", "RESHAPE", "SQUEEZE", "TRANSPOSE"})


def has_other_sizes(subgraph: Subgraph) -> bool:
    """Whether an op makes a tensor whose size in the file cannot be, or need not be, its own."""
    return any(
        _is_other(op, subgraph.tensors[index], subgraph)
        for op in subgraph.ops
        for index in op.outputs[:1]
        if index >= 0 and subgraph.tensors[index].default_shape is not None
    )


def _is_other(op: Op, output: Tensor, subgraph: Subgraph) -> bool:
    shape, default = output.shape or (), output.default_shape or ()
    if op.kind in _MOVES or default[:1] != (1,) or -1 in shape[1:]:
        return True
    if op.kind not in _SAME_BYTES or not op.inputs or op.inputs[0] < 0:
        return False
    return tensor_bytes(subgraph.tensors[op.inputs[0]]) != tensor_bytes(output)
