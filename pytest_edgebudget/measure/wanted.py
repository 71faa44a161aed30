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
    metric's defaults and what the limit says.
    """

    name: str
    metric: Metric
    options: Mapping[str, float | int | str]

    @property
    def slices(self) -> str:
        """The array that sorts samples into slices; empty for all samples at once."""
        return str(self.options.get("slices", ""))
