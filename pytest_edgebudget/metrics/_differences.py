"""Errors of numeric outputs, and the interval of their mean."""

from __future__ import annotations

import math
from statistics import NormalDist

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import Array, Predictions
from pytest_edgebudget.metrics._labels import judged, note
from pytest_edgebudget.metrics.base import Options, Value


def differences(metric: str, predictions: Predictions, options: Options) -> Array:
    """
    Return output minus labels, float64 of shape (n, numbers of a sample).

    Raises:
        ModelError: no labels, or labels of another shape.
    """
    pair = judged(metric, predictions, options)
    if pair.output.shape != pair.labels.shape:
        raise ModelError(
            f"{metric} cannot compare labels of shape {pair.labels.shape}"
            f" with the output {pair.name!r} of shape {pair.output.shape}",
            "both need the same numbers for each sample",
        )
    difference: Array = pair.output.astype(float) - pair.labels.astype(float)
    return difference.reshape(len(difference), -1)


def mean_error(errors: Array, level: float) -> Value:
    """The mean of *errors*, shape (n, numbers), infinite if one is not finite."""
    import numpy as np

    samples = errors.mean(axis=1)
    finite = np.isfinite(samples)
    if not finite.all():
        return Value(math.inf, note=note(finite))
    mean, half = mean_interval(samples, level)
    return Value(mean, max(0.0, mean - half), mean + half) if len(samples) > 1 else Value(mean)


def mean_interval(samples: Array, level: float) -> tuple[float, float]:
    """The mean of *samples* and half its interval, by the normal approximation."""
    if len(samples) < 2:
        return float(samples.mean()), 0.0
    error = float(samples.std(ddof=1)) / math.sqrt(len(samples))
    return float(samples.mean()), NormalDist().inv_cdf(0.5 + level / 2) * error
