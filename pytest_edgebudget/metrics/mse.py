"""`mse`: the mean squared error."""

from __future__ import annotations

import math

from pytest_edgebudget.facts import Array, Predictions
from pytest_edgebudget.metrics._differences import differences, mean_error
from pytest_edgebudget.metrics._labels import OUTPUT
from pytest_edgebudget.metrics.base import RUN, Metric, Options, Value, confidence
from pytest_edgebudget.types import Better, Unit


def read(predictions: Predictions, options: Options) -> Value:
    """
    The mean of (output - label)^2 over all numbers of all samples, in the label's unit squared.

    Labels: numbers of the output's shape; axes of size 1 do not matter, so
    that labels (n,) suit an output (n, 1). A sample that gives NaN or infinity
    makes the error infinite.

    Interval: mean +- 1.96 standard errors over the samples (normal
    approximation of the mean; none for a single sample).
    """
    return mean_error(_errors(predictions, options), confidence(options))


def scores(predictions: Predictions, options: Options) -> Array:
    """The error of each sample, shape (n,)."""
    errors: Array = _errors(predictions, options).mean(axis=1)
    return errors


def _errors(predictions: Predictions, options: Options) -> Array:
    errors: Array = differences("mse", predictions, options) ** 2
    return errors


METRIC = Metric(
    name="mse",
    unit=Unit.NUMBER,
    bounds=(0.0, math.inf),
    better=Better.LOWER,
    needs=Predictions,
    read=read,
    accepts=RUN,
    droppable=True,
    scores=scores,
    options=(OUTPUT,),
)
