"""Which op each constant belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_edgebudget.graph.constants import (
    dynamic_scales,
    is_dynamic_scale,
    is_parameter,
    origins,
    used,
)
from pytest_edgebudget.graph.dtypes import MAX_COUNT
from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor

Claim = tuple[int, Mapping[str, int]]
"""Parameters, and bytes in the file by element type."""


class Claims:
    """
    Gives each constant to the first op that uses it.

    The readers give tensors of one buffer one view: its identity is the
    constant's.
    """

    def __init__(self, format_: str) -> None:
        self._format = format_
        self._stored: set[int] = set()
        self._learnt: set[int] = set()

    def of(self, subgraph: Subgraph) -> Iterator[Claim]:
        """What each op of *subgraph* is first to use."""
        known, scales = origins(subgraph), dynamic_scales(subgraph)
        for op in subgraph.ops:
            yield self._claim(op, subgraph.tensors, known, scales)

    def _claim(
        self,
        op: Op,
        tensors: tuple[Tensor, ...],
        known: Mapping[int, int],
        scales: frozenset[int],
    ) -> Claim:
        parameters = 0
        stored: dict[str, int] = {}
        for position, index in used(op, known):
            tensor = tensors[index]
            if id(tensor.data) not in self._stored:
                self._stored.add(id(tensor.data))
                stored[tensor.dtype] = stored.get(tensor.dtype, 0) + tensor.stored_bytes
            learnt = is_parameter(op, position, tensor, self._format)
            if learnt and not is_dynamic_scale(op, position, scales):
                parameters += self._count(tensor)
        return parameters, stored

    def _count(self, tensor: Tensor) -> int:
        if id(tensor.data) in self._learnt:
            return 0
        self._learnt.add(id(tensor.data))
        elements = tensor.elements or 0
        return elements if elements < MAX_COUNT else 0
