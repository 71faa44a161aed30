"""What the worker needs of a runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Port:
    """
    One input or output of a model.

    Attributes:
        name: the signature's name where the model has one, else *tensor*.
        tensor: the name in the graph.
        shape: -1 where a dimension is free.
        dtype: numpy's name.
        scale, zero_point: real = scale * (q - zero_point); scale 0: not quantized.
    """

    name: str
    tensor: str
    shape: tuple[int, ...]
    dtype: str
    scale: float = 0.0
    zero_point: int = 0

    def describe(self) -> dict[str, Any]:
        """The port as JSON."""
        return {**vars(self), "shape": list(self.shape)}


class Model(Protocol):
    """
    A model, loaded and allocated, with inputs of zeros in place.

    *invoke* takes nothing and returns nothing that counts: it is what `time`
    measures.
    """

    @property
    def inputs(self) -> Sequence[Port]:
        """Its inputs, in the model's order."""

    @property
    def outputs(self) -> Sequence[Port]:
        """Its outputs, in the model's order."""

    @property
    def invoke(self) -> Callable[[], Any]:
        """Runs it once."""

    def set_input(self, index: int, value: Array) -> None:
        """Copy *value*, of the input's dtype and a fitting shape, into place."""

    def output(self, index: int) -> Array:
        """A copy of an output of the last invoke."""

    def reset(self) -> None:
        """Forget the state that the model keeps between invokes."""


class Runtime(Protocol):
    """An imported runtime."""

    name: str
    version: str
    warm_model: str  # file name of the bundled model in its format
    keeps_state: bool  # whether its models may keep state between invokes

    def load(self, path: str, threads: int) -> Model:
        """Load and allocate the model; raises whatever the runtime raises."""


@runtime_checkable
class Arenas(Protocol):
    """A runtime that works in an arena of a size that is chosen."""

    def arena(self, path: str, progress: Callable[[str], None]) -> Mapping[str, int]:
        """Bytes of the *smallest* arena in which the model runs, its *head* and its *tail*."""


@runtime_checkable
class Placed(Protocol):
    """A model that something beside the CPU shall run."""

    @property
    def idle(self) -> str:
        """That nothing beside the CPU runs any of it, in words; empty where it does."""

    @property
    def accelerator(self) -> str:
        """What was asked to run it, in words."""

    @property
    def software(self) -> bool:
        """Whether that is a program on the CPU in truth."""

    def placement(self) -> Mapping[str, Any]:
        """
        What runs where, as JSON.

        *how* it was found out decides what else is there.
        """


def default_shape(shape: Sequence[Any]) -> tuple[int, ...]:
    """*shape* with every free dimension 1: what is allocated before the first sample."""
    return tuple(n if isinstance(n, int) and n > 0 else 1 for n in shape)


def free_shape(shape: Sequence[Any]) -> tuple[int, ...]:
    """*shape* with every free dimension -1."""
    return tuple(int(n) if isinstance(n, (int, np.integer)) and n > 0 else -1 for n in shape)
