"""What is fitted, and what a fit is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One published row: *x* is its vector of features times prior costs."""

    row: Mapping[str, str]
    pool: str
    x: tuple[float, ...]

    @property
    def family(self) -> str:
        """The network family, by which everything is validated."""
        return self.row["model_family"]

    @property
    def milliseconds(self) -> float:
        """What was published."""
        return float(self.row["latency_ms"])


@dataclass(frozen=True, slots=True)
class Fitted:
    """
    One fit of a domain, as sums of effects.

    *base* and *scale* are of all rows; *effects*: by (level, member) the
    deviation of each feature, then that of the scale. Logarithms of milliseconds.
    """

    base: tuple[float, ...]
    scale: float
    effects: Mapping[tuple[int, str], tuple[float, ...]]
