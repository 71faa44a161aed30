"""What a pass is: a model in, another model out, and a promise that is checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_edgebudget.types import Step, Tuning

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

    A pass that trains gets a ``.keras`` (or, of tf-keras, ``.h5``) as *model*, and:
    *data*, an ``.npz`` with ``x_train``, ``y_train`` and the splits val and
    calibration where there are any (with several inputs ``x_train/NAME``), never
    test; *teacher*, the float model that all began with; *checkpoint*, a folder
    that outlives a killed process; *progress*, the file that `tell` writes. A pass
    behind it gets the trained model, from which *model* was exported, as *trained*.

    A pass that tunes gets *tuning*, how other models are built and what they may cost,
    and *deployed*, which makes of a ``.keras`` file what the rest of the recipe would
    (None where that has to be trained first).
    """

    model: Path
    out: Path
    step: Step
    calibration: Path | None = None
    target: Mapping[str, str] = field(default_factory=dict)
    data: Path | None = None
    teacher: Path | None = None
    checkpoint: Path | None = None
    progress: Path | None = None
    trained: Path | None = None
    tuning: Tuning | None = None
    deployed: Callable[[Path], Path] | None = None

    def tell(self, text: str) -> None:
        """Show *text* as the progress of this job: one short line."""
        if self.progress is not None:
            with self.progress.open("a", encoding="utf-8") as file:
                file.write(f"{text}\n")

    def note(self, text: str) -> None:
        """Add *text*, one line, to what a reader of a trained result must know."""
        with self.out.with_suffix(".notes").open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """
    One optimization.

    Attributes:
        apply: runs in a process of its own; its docstring is what the user
            reads: what it needs, what it saves, what it cannot.
        check: runs in this process on the graphs before and after: an empty
            string, or the sentence that says which promise the file breaks.
        formats: "tflite", "onnx", "keras"; of a pass that trains, what its result
            may be exported to.
        calibrated: whether it needs ``x_calibration``.
        trains: whether it maps a float ``.keras`` to a ``.keras``, before the model
            is exported: such steps come first in a recipe. Its `check` gets the
            graphs of what was exported before and after it.
        then: the pass that has to come right behind, which uses what was trained;
            it needs no calibration of its own.
        tunes: whether it builds other models by the user's function (and trains them).
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
    trains: bool = False
    then: str = ""
    tunes: bool = False

    @property
    def doc(self) -> str:
        """What the user reads."""
        return inspect.getdoc(self.apply) or ""
