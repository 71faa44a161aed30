"""Which operators of a model an accelerator does not run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Split:
    """
    Operators by their numbers in the main graph.

    Attributes:
        off: those that the accelerator does not run, and why not.
        pieces: how many pieces of the model it runs.
        others: what may be off instead, where it is not sure.
        notes: what a reader must know.
    """

    off: Mapping[int, str]
    pieces: int
    others: tuple[Mapping[int, str], ...] = ()
    notes: tuple[str, ...] = ()
