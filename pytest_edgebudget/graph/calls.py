"""
Which subgraphs an op runs.

Both readers refuse subgraphs that are not there, that run themselves, and
calls nested deeper than `DEEPEST`: whoever follows `calls` comes to an end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pytest_edgebudget.graph.damage import DamageError
from pytest_edgebudget.graph.ir import Op, Subgraph

DEEPEST = 32
"""Calls within calls that are believed."""

CALLERS: Mapping[str, tuple[str, ...]] = {
    "CALL": ("subgraph",),
    "CALL_ONCE": ("init_subgraph_index",),
    "IF": ("then_subgraph_index", "else_subgraph_index"),
    "WHILE": ("cond_subgraph_index", "body_subgraph_index"),
    "STABLEHLO_CASE": ("branch_subgraph_indices",),
    "STABLEHLO_COMPOSITE": ("decomposition_subgraph_index",),
    "STABLEHLO_CUSTOM_CALL": ("called_computations",),
    "STABLEHLO_REDUCE": ("body_subgraph_index",),
    "STABLEHLO_REDUCE_WINDOW": ("body_subgraph_index",),
    "STABLEHLO_SCATTER": ("update_computation_subgraph_index",),
    "STABLEHLO_SORT": ("comparator_subgraph_index",),
    "STABLEHLO_WHILE": ("cond_subgraph_index", "body_subgraph_index"),
}
"""TensorFlow Lite: the attributes that number subgraphs, in the order of `calls`."""


def calls(op: Op) -> tuple[int, ...]:
    """
    The subgraphs that *op* runs, as indices into `Graph.subgraphs`.

    IF: then, else. WHILE: condition, body. CALL_ONCE runs its subgraph when the
    model is loaded, not at an inference. .onnx: the graphs among the attributes,
    in the order of the file (`Op.attributes` tells them apart by name).
    """
    return op.subgraphs


def called(kind: str, attributes: Mapping[str, object]) -> tuple[int, ...]:
    """What the attributes of a TensorFlow Lite op say of the subgraphs that it runs."""
    if kind not in CALLERS:
        return ()
    values = [attributes.get(name) for name in CALLERS[kind]]
    numbers = (number for value in values for number in _numbers(value))
    if kind.startswith("STABLEHLO"):  # -1: this composite has no decomposition
        return tuple(number for number in numbers if number >= 0)
    return tuple(numbers)


def _numbers(value: object) -> Iterable[int]:
    if isinstance(value, tuple):
        return value
    return (value,) if isinstance(value, int) else ()


def check_calls(subgraphs: Sequence[Subgraph]) -> None:
    """Raise DamageError where following the calls would leave the file or never end."""
    heights: dict[int, int] = {}
    for number in range(len(subgraphs)):
        _height(number, subgraphs, heights, ())


def _height(
    number: int, subgraphs: Sequence[Subgraph], heights: dict[int, int], path: tuple[int, ...]
) -> int:
    """How deep calls nest below a subgraph."""
    if number in path:
        raise DamageError(f"subgraph {number} runs itself")
    if len(path) > DEEPEST:
        raise DamageError(f"subgraphs call each other more than {DEEPEST} deep")
    if number not in heights:
        heights[number] = 0
        for called_ in {index for op in subgraphs[number].ops for index in op.subgraphs}:
            if not 0 <= called_ < len(subgraphs):
                raise DamageError(f"an op runs subgraph {called_} of {len(subgraphs)}")
            below = _height(called_, subgraphs, heights, (*path, number))
            heights[number] = max(heights[number], below + 1)
    if heights[number] + len(path) > DEEPEST:
        raise DamageError(f"subgraphs call each other more than {DEEPEST} deep")
    return heights[number]
