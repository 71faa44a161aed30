"""What became of one model on one device."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_edgebudget.types import Artifact, Measurement, ModelBudget, Trial, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """
    What became of one model on one device.

    *before* and *after* are the source model's and the artifact's readings on
    the test split. *selected_on* names the split that the search looked at, or
    is empty when nothing was searched. *infeasible*: why no candidate keeps every
    limit, in sentences.
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

    @property
    def kept(self) -> bool:
        """Whether no limit fails."""
        return not any(verdict.fails for verdict in self.verdicts)
