"""How much worse than the source model a metric is, sample by sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import Array, Predictions
from pytest_edgebudget.metrics.base import Metric, Options, confidence
from pytest_edgebudget.pairs import share_drop
from pytest_edgebudget.types import Better, Drop

RESAMPLES = 1000
LEAST = 200
"""Resamples of metrics that are no mean, where `WORK` samples would be exceeded."""
WORK = 1_000_000
FEWEST = 20
"""Samples: a bootstrap of fewer is far too narrow."""
LISTED = 100
"""Flipped samples of each kind that are named: a report stays short."""
BLOCK = 1 << 22
"""Numbers that are drawn at a time."""


def paired(metric: Metric, predictions: Predictions, options: Options) -> Drop | None:
    """
    Compare the artifact's answers with the source model's on the same samples.

    Where each sample is right or wrong, by the exact counts of those that
    flipped; else by 1,000 resamples of the samples (percentiles, fixed seed),
    each read of both models; by 200 where a metric that is no mean has more than
    5,000 samples. None where there is nothing to compare with, or
    too little.

    Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13.
    """
    if predictions.source is None:
        return None
    before = of_source(predictions)
    sign = 1.0 if metric.better is Better.LOWER else -1.0
    try:
        if metric.scores is not None:
            theirs, ours = metric.scores(before, options), metric.scores(predictions, options)
            return _of_scores(theirs, ours, sign, confidence(options))
        if metric.point is not None:
            return _of_points(metric, before, predictions, options, sign)
    except ModelError:  # the source's own reading tells why
        return None
    return None


def of_source(predictions: Predictions) -> Predictions:
    """What the source model answered, by the artifact's names of the outputs."""
    source, names = predictions.source or {}, list(predictions.outputs)
    if not set(names) <= set(source) and len(names) == len(source):
        source = dict(zip(names, source.values(), strict=True))  # a pass renamed them
    return replace(predictions, outputs=source, source=None)


def moved(drop: Drop | None, step: int) -> Drop | None:
    """*drop* with the places that its samples have in a split of which every *step*-th ran."""
    if drop is None or step == 1:
        return drop
    return replace(
        drop,
        worse_at=tuple(place * step for place in drop.worse_at),
        better_at=tuple(place * step for place in drop.better_at),
    )


def _of_scores(before: Array, after: Array, sign: float, level: float) -> Drop | None:
    import numpy as np

    if before.shape != after.shape or not np.isfinite([before, after]).all():
        return None
    if np.isin([before, after], (0, 1)).all() and sign < 0:
        return _of_answers(before == 1, after == 1, level)
    differences = sign * (after - before)
    if len(differences) < FEWEST:
        return None
    low, high = _quantiles(_means(differences), level)
    return Drop(
        value=float(differences.mean()), low=low, high=high, confidence=level, samples=len(before)
    )


def _of_answers(before: Array, after: Array, level: float) -> Drop:
    import numpy as np

    worse, better = np.flatnonzero(before & ~after), np.flatnonzero(~before & after)
    low, high = share_drop(len(worse), len(better), len(before), level)
    return Drop(
        value=(len(worse) - len(better)) / len(before),
        low=low,
        high=high,
        confidence=level,
        samples=len(before),
        exact=True,
        worse=len(worse),
        better=len(better),
        worse_at=tuple(worse[:LISTED].tolist()),
        better_at=tuple(better[:LISTED].tolist()),
    )


def _means(differences: Array) -> Array:
    """The means of `RESAMPLES` resamples."""
    import numpy as np

    random, count = np.random.default_rng(0), len(differences)
    rows = max(1, BLOCK // count)
    blocks = [min(rows, RESAMPLES - start) for start in range(0, RESAMPLES, rows)]
    draws = [differences[random.integers(count, size=(block, count))] for block in blocks]
    means: Array = np.concatenate([draw.mean(axis=1) for draw in draws])
    return means


def _of_points(
    metric: Metric, before: Predictions, after: Predictions, options: Options, sign: float
) -> Drop | None:
    import numpy as np

    assert metric.point is not None
    count = len(next(iter(after.outputs.values())))
    if count < FEWEST:
        return None
    value = sign * (metric.point(after, options) - metric.point(before, options))
    random, drops = np.random.default_rng(0), []
    resamples = max(LEAST, min(RESAMPLES, WORK // count))
    for _ in range(resamples):
        chosen = random.integers(count, size=count)
        try:
            pair = [metric.point(subset(each, chosen), options) for each in (after, before)]
        except ModelError:  # such as a resample without one of two classes
            continue
        drops.append(sign * (pair[0] - pair[1]))
    if len(drops) < resamples / 2:
        return None
    level = confidence(options)
    low, high = _quantiles(drops, level)
    return Drop(value=value, low=low, high=high, confidence=level, samples=count)


def _quantiles(values: Sequence[float] | Array, level: float) -> tuple[float, float]:
    import numpy as np

    low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def subset(predictions: Predictions, chosen: Array) -> Predictions:
    """The samples *chosen*, by a mask or by places."""

    def pick(arrays: Mapping[str, Array]) -> dict[str, Array]:
        return {name: array[chosen] for name, array in arrays.items()}

    return replace(
        predictions,
        outputs=pick(predictions.outputs),
        inputs=pick(predictions.inputs),
        labels=pick(predictions.labels),
        source=pick(predictions.source) if predictions.source is not None else None,
    )
