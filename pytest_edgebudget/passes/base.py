"""What a pass is: a model in, another model out, and a promise that is checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_edgebudget.types import Step

if TYPE_CHECKING:
    from pytest_edgebudget.graph import Graph


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of a pass, such as the 0.3 of ``prune(0.3)``. *default* None: required."""

    name: str
    type: type
    help: str
    default: float | int | str | bool | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    What a pass gets to work on, in a process of its own.

    *model* is never changed; the result is written to *out*. *calibration* is
    an ``.npz`` of input arrays (first axis: samples; keys: input names, or
    ``""`` written as ``x`` for the only input), or None.
    """

    model: Path
    out: Path
    step: Step
    calibration: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """
    One optimization.

    Attributes:
        apply: runs in a process of its own; its docstring is what the user
            reads: what it needs, what it saves, what it cannot.
        check: runs in this process on the graphs before and after: an empty
            string, or the sentence that says which promise the file breaks.
        formats: "tflite", "onnx", "keras".
        calibrated: whether it needs ``x_calibration``.
        libraries: distributions whose versions decide the result.
    """

    name: str
    apply: Callable[[Job], None]
    check: Callable[[Graph, Graph, Step], str]
    formats: frozenset[str]
    calibrated: bool = False
    parameters: tuple[Parameter, ...] = ()
    libraries: tuple[str, ...] = ()

    @property
    def doc(self) -> str:
        """What the user reads."""
        return inspect.getdoc(self.apply) or ""
