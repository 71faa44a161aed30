"""What a pass is: a model in, another model out, and a promise that is checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    ``""`` written as ``x`` for the only input), or None. *target* are facts of the
    device's profile, for passes that compile: accelerator, vela_system ...
    """

    model: Path
    out: Path
    step: Step
    calibration: Path | None = None
    target: Mapping[str, str] = field(default_factory=dict)


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
        compiles: whether the result is for one chip, and no runtime here runs
            it: then it is the last step, and what was before it is run instead.
    """

    name: str
    apply: Callable[[Job], None]
    check: Callable[[Graph, Graph, Step], str]
    formats: frozenset[str]
    calibrated: bool = False
    parameters: tuple[Parameter, ...] = ()
    libraries: tuple[str, ...] = ()
    compiles: bool = False

    @property
    def doc(self) -> str:
        """What the user reads."""
        return inspect.getdoc(self.apply) or ""
