"""Whether ops come after those whose results they use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_edgebudget.graph.damage import DamageError, short
from pytest_edgebudget.graph.ir import Op, Tensor


def check_order(ops: Sequence[Op], tensors: Sequence[Tensor], inputs: Iterable[int]) -> None:
    """
    Raise DamageError where an op uses a tensor that only a later op makes.

    Variables are there from the start, and so are constants and inputs; a
    tensor that nothing makes at all is no matter of order.
    """
    makers: dict[int, int] = {}
    for number, op in enumerate(ops):
        for index in op.outputs:
            makers.setdefault(index, number)
    there = {-1, *inputs}
    for number, op in enumerate(ops):
        for index in op.inputs:
            if makers.get(index, 0) > number and index not in there:
                tensor = tensors[index]
                if not (tensor.variable or tensor.constant):
                    raise DamageError(
                        f"op {number} uses tensor {index} ({short(tensor.name)}),"
                        f" which only op {makers[index]} makes"
                    )
