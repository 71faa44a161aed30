"""What a recipe cannot do: bytes and memory that it needs at least, before it is built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.ir import Tensor
from pytest_edgebudget.passes._magnitude import which
from pytest_edgebudget.passes.mixed import layers
from pytest_edgebudget.types import Recipe

BITS = {
    "float16": 16,
    "weights_int8": 8,
    "dynamic_int8": 8,
    "int8": 8,
    "int16x8": 8,
    "int4_weights": 4,
}
"""Of each weight, after a pass; any other pass leaves the model's own."""

ACTIVATIONS = {"int8": "int8", "mixed": "int8", "int16x8": "int16"}
"""Passes that compute in integers, and their dtype."""

WIDTH = {"float32": 32, "float64": 64, "float16": 16, "int8": 8, "uint8": 8, "int16": 16, "int4": 4}


@dataclass(frozen=True, slots=True)
class Least:
    """What a recipe needs at least: *size* bytes, for *words*."""

    size: int
    words: str


def least_size(graph: Graph, recipe: Recipe) -> Least:
    """
    Bytes of the weights alone after *recipe*: a lower bound of any file with them.

    Passes that take weights out (channels, low_rank ...) are unknown here: 0.
    """
    bits = 0
    for weight, width in _widths(graph, recipe):
        bits += (weight.elements or 0) * width
    return Least(-(-bits // 8), "its weights alone")


def _widths(graph: Graph, recipe: Recipe) -> Iterator[tuple[Tensor, int]]:
    found = layers(graph)
    known = {"none", "clean", "cluster", "prune", "mixed", *BITS}
    if any(step.name not in known for step in recipe.steps):
        return
    marks = next((str(step.args[0]) for step in recipe.steps if step.name == "mixed"), "")
    width = min((BITS[s.name] for s in recipe.steps if s.name in BITS), default=0)
    seen: set[str | bytes] = set()
    for place, weight in enumerate(found):
        tensor = weight.tensor
        own = WIDTH.get(tensor.dtype, 0)
        asked = int(marks[place]) if place < len(marks) else width or own
        # The same constant in two layers is stored once.
        if which(tensor) in seen or tensor.sparse or not own:
            continue
        seen.add(which(tensor))
        yield tensor, min(own, asked)


def planned(graph: Graph, recipe: Recipe) -> Graph:
    """*graph* with the dtypes that *recipe* would give its activations, for a memory plan."""
    dtype = next((ACTIVATIONS[s.name] for s in recipe.steps if s.name in ACTIVATIONS), "")
    if not dtype:
        return graph
    return replace(
        graph,
        subgraphs=tuple(
            replace(each, tensors=tuple(_as(tensor, dtype) for tensor in each.tensors))
            for each in graph.subgraphs
        ),
    )


def _as(tensor: Tensor, dtype: str) -> Tensor:
    if tensor.constant or not tensor.dtype.startswith("float"):
        return tensor
    return tensor.shaped(tensor.shape, dtype)


def least_arena(graph: Graph, recipe: Recipe, runtime: str, kernels: str) -> int:
    """
    Bytes that the plan of *runtime* needs for the activations of *recipe*, scratch aside.

    Raises ValueError where the runtime has no plan.
    """
    from pytest_edgebudget.graph.memory import plan

    return plan(planned(graph, recipe), runtime, kernels).size
