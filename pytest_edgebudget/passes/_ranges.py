"""Which range of an activation gets the steps of int8: ways to choose it from its values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_edgebudget.facts import Array

BINS = 8192
"""Of a histogram: 64 KB a tensor, however many samples there are."""

STEPS = 255
"""Between the lowest and the highest of 256 numbers."""

CANDIDATES = 128
"""Bounds that are tried on each side of zero, from the whole side to `FINEST` of it."""

FINEST = 1 / 512

NEARLY_NONE = 1e-4
"""Of a value, where there is none: onnxruntime's figure."""

Range = tuple[float, float]
Rows = Callable[[], Iterable[Mapping[str, Array]]]
"""The values of all tensors, sample by sample; each call begins anew."""


@dataclass(frozen=True, slots=True)
class Spread:
    """
    The values of one tensor: *counts* of `BINS` equal bins from *low* to *high*.

    The range holds zero. *zeros* of the values are exactly that: they are in
    *counts*, too, but whatever the range is, they cost nothing.
    """

    low: float
    high: float
    counts: Array
    zeros: int

    @property
    def middles(self) -> Array:
        """The middle of each bin; of the bin where zeros are, too."""
        import numpy as np

        width = (self.high - self.low) / BINS
        return np.asarray(self.low + width * (np.arange(BINS) + 0.5))

    @property
    def others(self) -> Array:
        """The counts without the zeros."""
        counts = self.counts.copy()
        counts[_bin(self.low, self.high, 0.0)] -= self.zeros
        return counts


def spreads(rows: Rows) -> dict[str, Spread]:
    """
    How the values of each tensor of floats lie; runs *rows* twice, and keeps no values.

    Values that are not finite are left out.
    """
    import numpy as np

    ends: dict[str, Range] = {}
    for name, values in _finite(rows()):
        low, high = ends.get(name, (0.0, 0.0))
        ends[name] = min(low, float(values.min())), max(high, float(values.max()))
    counts = {name: np.zeros(BINS, np.int64) for name in ends}
    zeros = dict.fromkeys(ends, 0)
    for name, values in _finite(rows()):
        counts[name] += np.bincount(_bin(*ends[name], values), minlength=BINS)
        zeros[name] += int((values == 0).sum())
    return {name: Spread(*ends[name], counts[name], zeros[name]) for name in ends}


def _finite(rows: Iterable[Mapping[str, Array]]) -> Iterable[tuple[str, Array]]:
    import numpy as np

    for row in rows:
        for name, values in row.items():
            if values.dtype.kind == "f":
                finite = values[np.isfinite(values)].astype(np.float64)
                if finite.size:
                    yield name, finite


def _bin(low: float, high: float, values: Any) -> Any:
    """The bin of each of *values*."""
    import numpy as np

    width = (high - low) / BINS or 1.0
    return np.clip(np.floor((np.asarray(values) - low) / width), 0, BINS - 1).astype(np.int64)


def minmax(spread: Spread, percentile: float) -> Range:
    """All values."""
    return spread.low, spread.high


def percentile(spread: Spread, percentile: float) -> Range:
    """All but the rarest: half of what is left of 100 % on each side is cut off."""
    import numpy as np

    part = np.cumsum(spread.counts) / spread.counts.sum()
    cut = (100 - percentile) / 200
    first, last = np.searchsorted(part, [cut, 1 - cut])
    width = (spread.high - spread.low) / BINS
    low = spread.low + width * first
    return min(float(low), 0.0), max(float(spread.low + width * min(last + 1, BINS)), 0.0)


def mse(spread: Spread, percentile: float) -> Range:
    """
    The least mean squared error: of rounding inside, and of what is cut off outside.

    Rounding to steps of s costs s * s / 12 a value, zeros nothing.
    """
    import numpy as np

    lows, highs = _bounds(spread.low), _bounds(spread.high)
    counts, middles = spread.others.astype(np.float64), spread.middles
    below = np.array([(counts * np.maximum(low - middles, 0) ** 2).sum() for low in lows])
    above = np.array([(counts * np.maximum(middles - high, 0) ** 2).sum() for high in highs])
    out_below = np.array([counts[middles < low].sum() for low in lows])
    out_above = np.array([counts[middles > high].sum() for high in highs])
    step = (highs[None, :] - lows[:, None]) / STEPS
    inside = counts.sum() - out_below[:, None] - out_above[None, :]
    cost = below[:, None] + above[None, :] + inside * step**2 / 12
    i, j = np.unravel_index(int(cost.argmin()), cost.shape)
    return float(lows[i]), float(highs[j])


def entropy(spread: Spread, percentile: float) -> Range:
    """
    The least information lost (Kullback-Leibler divergence), as TensorRT calibrates.

    One bound for both sides of zero; the zeros themselves do not count.
    """
    import numpy as np

    width, counts = (spread.high - spread.low) / BINS, spread.others.astype(np.float64)
    if not counts.sum():
        return spread.low, spread.high
    best, chosen = np.inf, (spread.low, spread.high)
    for bound in _bounds(max(-spread.low, spread.high)):
        low, high = max(spread.low, -bound), min(spread.high, bound)
        first, last = int(_bin(spread.low, spread.high, low)), round((high - spread.low) / width)
        if last - first <= STEPS:
            break
        lost = _divergence(counts, first, last)
        if lost < best:
            best, chosen = lost, (low, high)
    return chosen


def _divergence(counts: Array, first: int, last: int) -> float:
    """How much is lost where the bins from *first* to *last* are made 256, the others cut off."""
    import numpy as np

    inside = counts[first:last]
    truth = inside.copy()
    truth[0] += counts[:first].sum()
    truth[-1] += counts[last:].sum()
    group = np.arange(len(inside)) * (STEPS + 1) // len(inside)
    filled = truth > 0
    share = np.bincount(group, filled, STEPS + 1)[group]
    made = np.where(filled, np.bincount(group, inside, STEPS + 1)[group] / np.maximum(share, 1), 0)
    made = np.maximum(made[filled], NEARLY_NONE)  # where only what was cut off came to lie
    p, q = truth[filled] / truth.sum(), made / made.sum()
    return float((p * np.log(p / q)).sum())


def _bounds(end: float) -> Array:
    """Bounds from *end* towards zero, in equal ratios; only *end* where it is zero."""
    import numpy as np

    return np.asarray(end * np.geomspace(1.0, FINEST, CANDIDATES)) if end else np.zeros(1)


CHOICES: Mapping[str, Callable[[Spread, float], Range]] = {
    "minmax": minmax,
    "percentile": percentile,
    "entropy": entropy,
    "mse": mse,
}
"""Ways to choose a range, by the word that a recipe has for them."""
