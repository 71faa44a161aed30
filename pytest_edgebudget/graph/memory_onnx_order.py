"""
The order in which onnxruntime runs the nodes of a graph: not that of the file.

From the nodes whose outputs nobody reads, back to what they read, the later node
first. Source: onnxruntime/core/graph/graph.cc (Graph::ReverseDFSFrom) as
graph_viewer.cc calls it.
"""

from __future__ import annotations

from pytest_edgebudget.graph.ir import Subgraph


def execution_order(subgraph: Subgraph) -> list[int]:
    """The numbers of the ops, in the order of a session without optimizations."""
    makers = {i: n for n, op in enumerate(subgraph.ops) for i in op.outputs if i >= 0}
    reads = [sorted({makers[i] for i in op.inputs if i in makers}) for op in subgraph.ops]
    read = {number for numbers in reads for number in numbers}
    left = [(number, False) for number in range(len(reads)) if number not in read]
    order, seen = [], [False] * len(reads)
    while left:
        number, ready = left.pop()
        if ready:
            order.append(number)
        elif not seen[number]:
            seen[number] = True
            left.append((number, True))
            left += [(earlier, False) for earlier in reads[number] if not seen[earlier]]
    return order
