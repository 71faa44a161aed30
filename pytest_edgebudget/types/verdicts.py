"""Artifacts, what was tried, and what became of limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_edgebudget.types.budgets import Limit, Tuning, Waiver
from pytest_edgebudget.types.readings import Outcome, Reading
from pytest_edgebudget.types.recipes import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """
    The file that a recipe became.

    *path* lies in the cache and is never changed; *sha256* addresses it;
    *size* is in bytes and counts *external* data files too. *uncompiled* is the
    model before it was compiled for a chip, where no runtime here runs what the
    compiler wrote. *trainable* is the Keras model (``.keras``, or ``.h5`` of
    tf-keras) that a source was exported from, in the cache; None for a source
    that came exported. *tuning* is how other models like a source are built,
    where a function builds it.
    """

    recipe: Recipe
    path: Path
    sha256: str
    size: int
    external: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    uncompiled: Path | None = None
    trainable: Path | None = None
    tuning: Tuning | None = None

    @property
    def runs_as(self) -> Path:
        """The file whose arithmetic is this one's."""
        return self.uncompiled or self.path

    @property
    def format(self) -> str:
        """``tflite`` or ``onnx``."""
        return self.path.suffix.removeprefix(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """
    One bound of a limit after judging.

    *kind* is max, min, max_drop or max_regression; *bound* is the value that
    the reading must not pass, in the metric's unit; *headroom* is how far the
    reading is from it, as a fraction of the bound (negative when broken).
    *upper*: a reading above the bound breaks it. *needed*: about how many samples
    would decide what so many do not.
    """

    kind: str
    bound: float
    headroom: float
    outcome: Outcome
    upper: bool = False
    reason: str = ""
    needed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    A limit, judged.

    *outcome* is the worst of *bounds*; *fails* says whether the test fails
    (a warning, a waiver or an accepted "undecided" does not).
    """

    model: str
    limit: Limit
    outcome: Outcome
    fails: bool
    bounds: tuple[Bound, ...] = ()
    reading: Reading | None = None
    before: Reading | None = None
    reason: str = ""
    waiver: Waiver | None = None
    waiver_note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """
    One candidate that was tried.

    *state*: "chosen", "kept" (every limit, but another is better at the objective),
    "rejected" (a limit surely broken; *binding* says which), "skipped" (cannot fit,
    and was not built) or "failed" (could not be built; *reason* says why). *excess* is the largest
    miss among the binding limits, as the log of its ratio to the bound: the
    candidate with the least is the closest.
    """

    recipe: Recipe
    state: str
    artifact: Artifact | None = None
    readings: Mapping[str, Reading] = field(default_factory=dict)
    binding: tuple[str, ...] = ()
    excess: float = 0.0
    reason: str = ""
    seconds: float = 0.0
    from_lock: bool = False
