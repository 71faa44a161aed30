"""What is asked for: a limit's name, its metric, its options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_edgebudget.metrics.base import Metric


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    A reading that somebody wants.

    *name* is the limit's ("accuracy", "accuracy[speaker]"); *options* hold the
    metric's defaults and what the limit says. *drop*: it is compared with the source model's,
    sample by sample, too.
    """

    name: str
    metric: Metric
    options: Mapping[str, float | int | str]
    drop: bool = False

    @property
    def slices(self) -> str:
        """The array that sorts samples into slices; empty for all samples at once."""
        return str(self.options.get("slices", ""))

    @property
    def paired(self) -> bool:
        """Whether the source model's answers are needed to tell a drop."""
        known = self.metric.scores is not None or self.metric.point is not None
        return self.drop and known and not self.slices
