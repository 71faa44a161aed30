"""What became of one model on one device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_edgebudget.data import DataFile
from pytest_edgebudget.types import (
    Artifact,
    Measurement,
    ModelBudget,
    Reading,
    Recipe,
    Trial,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class Control:
    """The float model after as much training as a trained recipe had: its quality, by limit."""

    recipe: Recipe
    readings: Mapping[str, Reading]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """
    What became of one model on one device.

    *before* and *after* are the source model's and the artifact's readings on
    the test split. *selected_on* names the split that the search looked at, or
    is empty when nothing was searched. *infeasible*: why no candidate keeps every
    limit, in sentences. *control*: what more training alone brings. *cut_short*: the
    search ended at its limit of trials or time, with candidates left. *data*: what the
    model was judged on.
    """

    model: ModelBudget
    source: Artifact
    artifact: Artifact
    before: Measurement
    after: Measurement
    verdicts: tuple[Verdict, ...]
    trials: tuple[Trial, ...]
    selected_on: str = ""
    infeasible: tuple[str, ...] = ()
    control: Control | None = None
    cut_short: bool = False
    data: DataFile | None = None

    @property
    def kept(self) -> bool:
        """Whether no limit fails."""
        return not any(verdict.fails for verdict in self.verdicts)
